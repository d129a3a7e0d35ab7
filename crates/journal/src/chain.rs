//! The hash chain: one SHA-256 per record over the head before it and the bytes the record declares as hashed.
//!
//! `head(n) = SHA-256(head(n−1) ‖ record(n)[0 .. hashed])`, from a head(0) that names the bank and the timeline. The
//! formula is that simple so that SQL or a shell script can walk the chain too.

use crate::identity::Identity;
use sha2::{Digest, Sha256};

/// The journal's head: the last sequence and the chain's value there. Sequence 0 is the head of an empty journal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The last record's sequence; 0 if there is none.
    pub sequence: u64,
    /// The chain after that record.
    pub hash: [u8; 32],
}

impl Head {
    /// The head of an empty journal.
    pub fn start(identity: &Identity) -> Head {
        let hash = Sha256::new()
            .chain_update(b"bankcore journal v1")
            .chain_update(identity.bank)
            .chain_update(identity.timeline.to_be_bytes())
            .finalize()
            .into();
        Head { sequence: 0, hash }
    }

    /// The head after one more record, of which `hashed` are the leading bytes that the chain covers.
    #[inline]
    pub fn next(&self, hashed: &[u8]) -> Head {
        let hash = Sha256::new().chain_update(self.hash).chain_update(hashed).finalize().into();
        Head { sequence: self.sequence + 1, hash }
    }
}

impl std::fmt::Debug for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
