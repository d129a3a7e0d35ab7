//! A segment file: a header block, then frames. It is made full-size and zero-filled, and every byte and its name are
//! durable before its first use: a growing (or merely allocated) file would make each commit pay for metadata too.
//!
//! It is filled under an unfinished name (`.new`) and renamed at the end, so a file named `.seg` is always whole.

use crate::disk::{Disk, DiskFile};
use crate::identity::Identity;
use crate::layout::{BLOCK, FORMAT, SLOT, array_at, segment_path, u32_at, u64_at, unfinished_path};
use std::io;
use std::path::Path;

const MAGIC: &[u8; 8] = b"BCSEG001";
const FILL_BYTES: usize = 1 << 20;
/// Filling syncs this often, so that a commit of the writer never queues behind a whole segment's flush.
const FILL_SYNC_BYTES: u64 = 1 << 20;

/// A segment's header, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub identity: Identity,
    pub number: u64,
    pub bytes: u64,
}

/// What stands in a segment's first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFound {
    Good(SegmentHeader),
    Version(u32),
    Damaged,
}

impl SegmentHeader {
    pub fn encode(&self) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..8].copy_from_slice(MAGIC);
        block[12..16].copy_from_slice(&FORMAT.to_be_bytes());
        block[16..32].copy_from_slice(&self.identity.bank);
        block[32..36].copy_from_slice(&self.identity.timeline.to_be_bytes());
        block[36..44].copy_from_slice(&self.number.to_be_bytes());
        block[44..52].copy_from_slice(&self.bytes.to_be_bytes());
        let check = crc32c::crc32c(&block[12..SLOT]);
        block[8..12].copy_from_slice(&check.to_be_bytes());
        block
    }

    pub fn decode(block: &[u8]) -> HeaderFound {
        if block.len() < SLOT || &block[..8] != MAGIC || crc32c::crc32c(&block[12..SLOT]) != u32_at(block, 8)
        {
            return HeaderFound::Damaged;
        }
        let version = u32_at(block, 12);
        if version != FORMAT {
            return HeaderFound::Version(version);
        }
        let identity = Identity { bank: array_at(block, 16), timeline: u32_at(block, 32) };
        HeaderFound::Good(SegmentHeader { identity, number: u64_at(block, 36), bytes: u64_at(block, 44) })
    }
}

/// Makes a segment and returns it open; on an error nothing of it is left, as far as the disk lets us.
pub(crate) fn make<D: Disk>(disk: &D, journal: &Path, header: &SegmentHeader) -> io::Result<D::File> {
    let unfinished = unfinished_path(journal, header.number);
    if disk.exists(&unfinished) {
        disk.remove(&unfinished)?;
    }
    let made = fill(disk, &unfinished, header).and_then(|file| {
        disk.rename(&unfinished, &segment_path(journal, header.number))?;
        disk.sync_dir(journal)?;
        Ok(file)
    });
    if made.is_err() {
        // What is left would hold the very space that is missing. Failing again changes nothing.
        let _ = disk.remove(&unfinished);
    }
    made
}

fn fill<D: Disk>(disk: &D, path: &Path, header: &SegmentHeader) -> io::Result<D::File> {
    let file = disk.create_new(path)?;
    file.write_all_at(&header.encode(), 0)?;
    let zeros = vec![0; FILL_BYTES.min(header.bytes as usize)];
    let (mut at, mut synced) = (BLOCK as u64, 0);
    while at < header.bytes {
        let bytes = (header.bytes - at).min(zeros.len() as u64);
        // Nobody reads zeros.
        file.write_blocks_at(&zeros[..bytes as usize], at)?;
        at += bytes;
        if at - synced >= FILL_SYNC_BYTES {
            file.sync_data()?;
            synced = at;
        }
    }
    file.sync_all()?;
    Ok(file)
}
