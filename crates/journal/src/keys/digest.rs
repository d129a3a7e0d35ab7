//! A claim: the digest that is claimed and the value it maps to.
//!
//! A digest is held as two big-endian words instead of sixteen bytes: it then compares in one or two
//! instructions, in the same order as its bytes, and an [`Entry`] is 24 bytes without padding (a `u128`
//! would make it 32).

/// Sixteen bytes that are already uniformly distributed (a truncated SHA-256). Ordered as its bytes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    pub(super) high: u64,
    pub(super) low: u64,
}

impl Digest {
    /// The digest of these bytes. They must be the output of a hash: filters and tables rely on it.
    pub fn new(bytes: [u8; 16]) -> Self {
        let n = u128::from_be_bytes(bytes);
        Self { high: (n >> 64) as u64, low: n as u64 }
    }

    /// The bytes it was made of.
    pub fn bytes(&self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_be_bytes()
    }
}

impl From<[u8; 16]> for Digest {
    fn from(bytes: [u8; 16]) -> Self {
        Self::new(bytes)
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:016x}", self.high, self.low)
    }
}

/// One claim as generations and runs hold it: ordered by digest, then by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) digest: Digest,
    pub(super) value: u64,
}

/// Bytes of an entry in a run file.
pub(super) const ENTRY_BYTES: usize = 24;

impl Entry {
    pub(super) fn new(digest: Digest, value: u64) -> Self {
        Self { digest, value }
    }

    pub(super) fn write(&self, to: &mut [u8]) {
        to[0..8].copy_from_slice(&self.digest.high.to_be_bytes());
        to[8..16].copy_from_slice(&self.digest.low.to_be_bytes());
        to[16..24].copy_from_slice(&self.value.to_be_bytes());
    }

    pub(super) fn read(from: &[u8]) -> Self {
        let word = |at: usize| u64::from_be_bytes(from[at..at + 8].try_into().expect("eight bytes"));
        Self { digest: Digest { high: word(0), low: word(8) }, value: word(16) }
    }
}
