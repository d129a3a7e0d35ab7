//! A sealed segment's index in a small file beside it, so that a start need not read old segments.
//!
//! Derived and checksummed: one that is missing or does not verify is rebuilt from its segment, which is why it is
//! written without a sync. Layout: magic `BCIDX001` · CRC-32C of what follows · format u32 · bank id (16) · timeline
//! u32 · segment u64 · segment's bytes u64 · first sequence u64 · sequence after the last u64 · head before (32) ·
//! head after (32) · entries u32 · offsets u32 each.

use crate::disk::{Disk, DiskFile};
use crate::identity::Identity;
use crate::index::{STRIDE, SegmentIndex, Table};
use crate::layout::{FIRST_FRAME, FORMAT, array_at, sidecar_path, u32_at, u64_at};
use std::io;
use std::path::Path;

const MAGIC: &[u8; 8] = b"BCIDX001";
const HEADER: usize = 136;

/// Writes the sidecar of a segment that gets no more frames.
pub(crate) fn write<D: Disk>(
    disk: &D,
    journal: &Path,
    identity: &Identity,
    segment: &SegmentIndex,
) -> io::Result<()> {
    let path = sidecar_path(journal, segment.number);
    let draft = path.with_extension("tmp");
    if disk.exists(&draft) {
        disk.remove(&draft)?;
    }
    let file = disk.create_new(&draft)?;
    file.write_all_at(&encode(identity, segment), 0)?;
    disk.rename(&draft, &path)
}

/// Reads a segment's sidecar; `None` if there is none that can be trusted.
pub(crate) fn read<D: Disk>(
    disk: &D,
    journal: &Path,
    identity: &Identity,
    number: u64,
) -> Option<SegmentIndex> {
    let path = sidecar_path(journal, number);
    if !disk.exists(&path) {
        return None;
    }
    let file = disk.open_read(&path).ok()?;
    let length = file.len().ok()?;
    if length < HEADER as u64 || length > 1 << 30 {
        return None;
    }
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, 0).ok()?;
    decode(&bytes, identity).filter(|segment| segment.number == number)
}

fn encode(identity: &Identity, segment: &SegmentIndex) -> Vec<u8> {
    let table = segment.table();
    let mut bytes = Vec::with_capacity(HEADER + table.offsets.len() * 4);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&FORMAT.to_be_bytes());
    bytes.extend_from_slice(&identity.bank);
    bytes.extend_from_slice(&identity.timeline.to_be_bytes());
    for number in [segment.number, segment.bytes, segment.first, table.end] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(&segment.before);
    bytes.extend_from_slice(&table.after);
    bytes.extend_from_slice(&(table.offsets.len() as u32).to_be_bytes());
    for offset in &table.offsets {
        bytes.extend_from_slice(&offset.to_be_bytes());
    }
    let check = crc32c::crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&check.to_be_bytes());
    bytes
}

fn decode(bytes: &[u8], identity: &Identity) -> Option<SegmentIndex> {
    if &bytes[..8] != MAGIC || crc32c::crc32c(&bytes[12..]) != u32_at(bytes, 8) || u32_at(bytes, 12) != FORMAT
    {
        return None;
    }
    if array_at(bytes, 16) != identity.bank || u32_at(bytes, 32) != identity.timeline {
        return None;
    }
    let (number, length) = (u64_at(bytes, 36), u64_at(bytes, 44));
    let (first, end) = (u64_at(bytes, 52), u64_at(bytes, 60));
    let (before, after) = (array_at(bytes, 68), array_at(bytes, 100));
    let count = u32_at(bytes, 132) as usize;
    let expected = if end <= first { 0 } else { ((end - 1) / STRIDE - first / STRIDE + 1) as usize };
    if end < first || count != expected || bytes.len() != HEADER + count * 4 {
        return None;
    }
    let offsets: Vec<u32> = bytes[HEADER..].chunks_exact(4).map(|entry| u32_at(entry, 0)).collect();
    // Whoever reads by them subtracts one from the next, and takes each for a place within the segment.
    let within = offsets.iter().all(|at| (FIRST_FRAME..length).contains(&u64::from(*at)));
    if !within || !offsets.is_sorted_by(|a, b| a < b) {
        return None;
    }
    Some(SegmentIndex::with_table(number, length, first, before, Table { end, after, offsets }))
}
