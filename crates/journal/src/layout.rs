//! Sizes and file names of the journal on disk: the numbers of `docs/journal-format.md` in one place.

use std::path::{Path, PathBuf};

/// The unit of a record's length, in bytes.
pub const SLOT: usize = 64;
/// The unit of a frame's place, in bytes: no write ever touches a block that holds acknowledged bytes.
pub const BLOCK: usize = 4096;
/// A frame's header, in bytes.
pub const FRAME_HEADER: usize = 128;
/// Where the first frame of a segment stands, in bytes: after the segment's own header.
pub const FIRST_FRAME: u64 = BLOCK as u64;
/// The format's version, in `IDENTITY` and in every segment header.
pub const FORMAT: u32 = 1;
/// The longest record, in bytes: 255 slots.
pub const RECORD_BYTES_MAX: usize = 255 * SLOT;

pub(crate) const IDENTITY_FILE: &str = "IDENTITY";
pub(crate) const LOCK_FILE: &str = "LOCK";

/// `bytes` rounded up to whole blocks.
pub(crate) fn whole_blocks(bytes: u64) -> u64 {
    bytes.next_multiple_of(BLOCK as u64)
}

pub(crate) fn journal_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

pub(crate) fn segment_path(journal: &Path, number: u64) -> PathBuf {
    journal.join(format!("{number:012}.seg"))
}

/// A segment that is still being filled; it gets its real name only when every byte of it is durable.
pub(crate) fn unfinished_path(journal: &Path, number: u64) -> PathBuf {
    journal.join(format!("{number:012}.new"))
}

pub(crate) fn sidecar_path(journal: &Path, number: u64) -> PathBuf {
    journal.join(format!("{number:012}.idx"))
}

/// The number in a file name of the form `000000000001.<extension>`.
pub(crate) fn number_in(name: &str, extension: &str) -> Option<u64> {
    let (digits, found) = name.split_once('.')?;
    if found != extension || digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array_at(bytes, at))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array_at(bytes, at))
}

pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Whether all of `bytes` are zero; as fast as the memory can be read.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    static ZEROS: [u8; BLOCK] = [0; BLOCK];
    bytes.chunks(BLOCK).all(|chunk| chunk == &ZEROS[..chunk.len()])
}
