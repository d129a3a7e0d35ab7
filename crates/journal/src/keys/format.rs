//! The bytes of a run file: its name, header and blocks (docs/keys-format.md).
//!
//! A block is one page with 170 entries and its own checksum, so that a look-up reads and checks one page. The
//! checksum starts from a seed that is the run's own (identity, range, count): a block of another run, or
//! of another place in this one, never checks.

use super::digest::{ENTRY_BYTES, Entry};

pub(super) const BLOCK_BYTES: usize = 4096;
pub(super) const ENTRIES_A_BLOCK: usize = 170;
pub(super) const FENCE_BYTES: usize = 8;

const MAGIC: &[u8; 8] = b"BCKEYS01";
const VERSION: u32 = 1;
const CHECKED_FROM: usize = 12;
/// More than any disk holds, and few enough that every offset can be computed.
const ENTRIES_MAX: u64 = 1 << 48;

const COUNT_AT: usize = ENTRIES_A_BLOCK * ENTRY_BYTES;
const NUMBER_AT: usize = COUNT_AT + 4;
const CRC_AT: usize = NUMBER_AT + 8;
const _: () = assert!(CRC_AT + 4 == BLOCK_BYTES);

/// The sequences a run covers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Range {
    pub(super) fn file_name(&self) -> String {
        format!("{:016x}-{:016x}.run", self.first, self.last)
    }

    pub(super) fn temp_name(&self) -> String {
        format!("{:016x}-{:016x}.tmp", self.first, self.last)
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let (first, last) = name.strip_suffix(".run")?.split_once('-')?;
        let range =
            Self { first: u64::from_str_radix(first, 16).ok()?, last: u64::from_str_radix(last, 16).ok()? };
        // The round trip refuses signs, capitals and missing digits.
        (range.file_name() == name && 0 < range.first && range.first <= range.last).then_some(range)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) identity: [u8; 32],
    pub(super) range: Range,
    pub(super) entries: u64,
    pub(super) tier: u32,
    pub(super) fences_crc: u32,
    pub(super) filter_crc: u32,
}

impl Header {
    pub(super) fn blocks(&self) -> u64 {
        self.entries.div_ceil(ENTRIES_A_BLOCK as u64)
    }

    pub(super) fn block_at(number: u64) -> u64 {
        (1 + number) * BLOCK_BYTES as u64
    }

    pub(super) fn fences_at(&self) -> u64 {
        Self::block_at(self.blocks())
    }

    pub(super) fn filter_at(&self) -> u64 {
        self.fences_at() + self.blocks() * FENCE_BYTES as u64
    }

    pub(super) fn file_bytes(&self) -> u64 {
        self.filter_at() + super::filter::Filter::lines_for(self.entries) * super::filter::LINE_BYTES as u64
    }

    /// Entries of block `number`: all but the last are full.
    pub(super) fn entries_in(&self, number: u64) -> usize {
        (self.entries - number * ENTRIES_A_BLOCK as u64).min(ENTRIES_A_BLOCK as u64) as usize
    }

    /// Where the checksums of this run's blocks start from.
    pub(super) fn seed(&self) -> u32 {
        let mut bytes = [0; 56];
        bytes[0..32].copy_from_slice(&self.identity);
        bytes[32..40].copy_from_slice(&self.range.first.to_be_bytes());
        bytes[40..48].copy_from_slice(&self.range.last.to_be_bytes());
        bytes[48..56].copy_from_slice(&self.entries.to_be_bytes());
        crc32c::crc32c(&bytes)
    }

    pub(super) fn encode(&self) -> [u8; BLOCK_BYTES] {
        let mut bytes = [0; BLOCK_BYTES];
        bytes[0..8].copy_from_slice(MAGIC);
        bytes[12..16].copy_from_slice(&VERSION.to_be_bytes());
        bytes[16..48].copy_from_slice(&self.identity);
        bytes[48..56].copy_from_slice(&self.range.first.to_be_bytes());
        bytes[56..64].copy_from_slice(&self.range.last.to_be_bytes());
        bytes[64..72].copy_from_slice(&self.entries.to_be_bytes());
        bytes[72..76].copy_from_slice(&self.tier.to_be_bytes());
        bytes[76..80].copy_from_slice(&self.fences_crc.to_be_bytes());
        bytes[80..84].copy_from_slice(&self.filter_crc.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[8..12].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; BLOCK_BYTES]) -> Result<Self, &'static str> {
        if &bytes[0..8] != MAGIC {
            return Err("not a run file");
        }
        if read_u32(bytes, 8) != crc32c::crc32c(&bytes[CHECKED_FROM..]) {
            return Err("the header's checksum");
        }
        if read_u32(bytes, 12) != VERSION {
            return Err("the format's version");
        }
        if read_u64(bytes, 64) > ENTRIES_MAX {
            return Err("the number of entries");
        }
        Ok(Self {
            identity: bytes[16..48].try_into().expect("32 bytes"),
            range: Range { first: read_u64(bytes, 48), last: read_u64(bytes, 56) },
            entries: read_u64(bytes, 64),
            tier: read_u32(bytes, 72),
            fences_crc: read_u32(bytes, 76),
            filter_crc: read_u32(bytes, 80),
        })
    }
}

/// One block's bytes; what is read from disk must pass [`Block::check`] before anything else is asked.
pub(super) struct Block<B>(pub(super) B);

impl<B: AsMut<[u8]>> Block<B> {
    pub(super) fn put(&mut self, at: usize, entry: &Entry) {
        entry.write(&mut self.0.as_mut()[at * ENTRY_BYTES..]);
    }

    /// Fills in count, number and checksum; what lies behind the last entry must be zero.
    pub(super) fn close(&mut self, seed: u32, number: u64, count: usize) {
        let bytes = self.0.as_mut();
        bytes[COUNT_AT..NUMBER_AT].copy_from_slice(&(count as u32).to_be_bytes());
        bytes[NUMBER_AT..CRC_AT].copy_from_slice(&number.to_be_bytes());
        let crc = crc32c::crc32c_append(seed, &bytes[..CRC_AT]);
        bytes[CRC_AT..].copy_from_slice(&crc.to_be_bytes());
    }
}

impl<B: AsRef<[u8]>> Block<B> {
    pub(super) fn check(&self, seed: u32, number: u64, count: usize) -> Result<(), &'static str> {
        let bytes = self.0.as_ref();
        if read_u32(bytes, CRC_AT) != crc32c::crc32c_append(seed, &bytes[..CRC_AT]) {
            return Err("the block's checksum");
        }
        if read_u64(bytes, NUMBER_AT) != number || read_u32(bytes, COUNT_AT) as usize != count {
            return Err("the block's place");
        }
        Ok(())
    }

    pub(super) fn entry(&self, at: usize) -> Entry {
        Entry::read(&self.0.as_ref()[at * ENTRY_BYTES..])
    }

    /// How many of the first `count` entries are smaller than `target`.
    pub(super) fn lower_bound(&self, count: usize, target: &Entry) -> usize {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = (low + high) / 2;
            if self.entry(middle) < *target { low = middle + 1 } else { high = middle }
        }
        low
    }
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_range_and_nothing_else_is_a_name() {
        let range = Range { first: 1, last: 0xabc };
        assert_eq!(range.file_name(), "0000000000000001-0000000000000abc.run");
        assert_eq!(Range::parse(&range.file_name()), Some(range));
        for name in [
            "0000000000000001-0000000000000ABC.run",
            "1-2.run",
            "0000000000000000-0000000000000001.run",
            "0000000000000003-0000000000000002.run",
            "0000000000000001-0000000000000002.tmp",
            "+000000000000001-0000000000000002.run",
        ] {
            assert_eq!(Range::parse(name), None, "{name}");
        }
    }

    #[test]
    fn any_changed_byte_of_a_header_is_noticed() {
        let header = Header {
            identity: [7; 32],
            range: Range { first: 1, last: 9 },
            entries: 400,
            tier: 2,
            fences_crc: 3,
            filter_crc: 4,
        };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Ok(header));
        for at in 0..bytes.len() {
            let mut bad = bytes;
            bad[at] ^= 0x10;
            assert!(Header::decode(&bad).is_err(), "byte {at}");
        }
    }
}
