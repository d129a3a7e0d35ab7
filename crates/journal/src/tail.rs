//! What lies behind the last good frame: nothing, a torn write, or acknowledged frames that damage cut off.
//!
//! A bad frame followed by anything that was once a good frame is damage, and opening must be refused: cutting there
//! would throw acknowledged records away. So everything behind the last good frame is searched, to the end of the
//! last spare, before a single byte of it is zeroed.

use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::frame::FrameHeader;
use crate::identity::Identity;
use crate::layout::{BLOCK, is_zero, segment_path};
use std::io;
use std::path::Path;

const CHUNK: usize = 1 << 20;

/// What was found behind the last good frame.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    /// The first thing that looks like a frame at or above the expected sequence: segment and offset.
    pub follower: Option<(u64, u64)>,
    /// Ranges that are not zero: segment, offset, bytes; whole blocks, except at a file's odd end.
    pub dirty: Vec<(u64, u64, u64)>,
}

/// Where to search, and for what.
pub(crate) struct Search<'a> {
    pub journal: &'a Path,
    pub identity: Identity,
    /// The sequence that would have come next.
    pub expected: u64,
}

impl Search<'_> {
    /// Searches one segment from `from`; frames are looked for only from `frames_from` on: before that lie the insides
    /// of a frame whose header is good, where only its own records can stand.
    pub fn segment<D: Disk>(
        &self,
        disk: &D,
        number: u64,
        (from, frames_from): (u64, u64),
        rest: &mut Rest,
    ) -> Result<(), OpenError> {
        let path = segment_path(self.journal, number);
        let file = disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let end = file.len().map_err(OpenError::io("measure", &path))?;
        let mut chunk = vec![0; CHUNK.min(end.saturating_sub(from) as usize)];
        let mut at = from;
        while at < end {
            let bytes = &mut chunk[..(end - at).min(CHUNK as u64) as usize];
            file.read_exact_at(bytes, at).map_err(OpenError::io("read", &path))?;
            if !is_zero(bytes) {
                for (index, block) in bytes.chunks(BLOCK).enumerate() {
                    if !is_zero(block) {
                        self.block(number, at + (index * BLOCK) as u64, frames_from, block, rest);
                    }
                }
            }
            at += bytes.len() as u64;
        }
        Ok(())
    }

    fn block(&self, number: u64, offset: u64, frames_from: u64, block: &[u8], rest: &mut Rest) {
        let bytes = block.len() as u64;
        match rest.dirty.last_mut() {
            Some((segment, start, length)) if *segment == number && *start + *length == offset => {
                *length += bytes
            }
            _ => rest.dirty.push((number, offset, bytes)),
        }
        if offset < frames_from || rest.follower.is_some() {
            return;
        }
        if let Some(header) = FrameHeader::decode(block)
            && header.stands_at(&self.identity, number, offset)
            && header.first >= self.expected
        {
            rest.follower = Some((number, offset));
        }
    }
}

/// Zeroes a range of a segment; the caller syncs.
pub(crate) fn zero<F: DiskFile>(file: &F, offset: u64, bytes: u64) -> io::Result<()> {
    let zeros = vec![0; CHUNK.min(bytes as usize)];
    let mut at = offset;
    while at < offset + bytes {
        let part = (offset + bytes - at).min(zeros.len() as u64);
        file.write_all_at(&zeros[..part as usize], at)?;
        at += part;
    }
    Ok(())
}
