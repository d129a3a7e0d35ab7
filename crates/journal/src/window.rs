//! A moving window over a segment file: big sequential reads for whoever walks it, one small read for who wants a record.

use crate::disk::DiskFile;
use crate::layout::BLOCK;
use std::io;

/// Who reads this much at a time walks on: the disk fetches the next chunk while this one is used.
const WALKS: usize = 256 << 10;

/// Bytes of one file around the place last asked for.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// Where in `bytes` it begins: at a block in memory, so that the disk can write right there.
    from: usize,
    start: u64,
    filled: usize,
    chunk: usize,
    aside: bool,
}

impl Window {
    /// A window that reads at least `chunk` bytes at a time.
    pub fn new(chunk: usize) -> Self {
        Self { bytes: Vec::new(), from: 0, start: 0, filled: 0, chunk, aside: false }
    }

    /// A window for a long way that nobody walks again soon: it reads whole chunks around the page cache, where they
    /// would push out what is asked for, and cost more processor time than is spent on what they hold.
    pub fn aside(chunk: usize) -> Self {
        Self { aside: true, ..Self::new(chunk) }
    }

    /// Forgets what was read: the next request reads the file again.
    pub fn forget(&mut self) {
        self.filled = 0;
    }

    /// `bytes` from `offset` of a file of which only the first `end` bytes count; fewer if they reach beyond `end`.
    pub fn get<F: DiskFile>(&mut self, file: &F, offset: u64, bytes: usize, end: u64) -> io::Result<&[u8]> {
        let bytes = (end.saturating_sub(offset)).min(bytes as u64) as usize;
        let inside = offset >= self.start && offset + bytes as u64 <= self.start + self.filled as u64;
        if !inside {
            self.fill(file, offset, bytes, end)?;
        }
        let at = self.from + (offset - self.start) as usize;
        Ok(&self.bytes[at..at + bytes])
    }

    fn fill<F: DiskFile>(&mut self, file: &F, offset: u64, bytes: usize, end: u64) -> io::Result<()> {
        self.filled = 0;
        if self.aside && offset < end {
            let block = BLOCK as u64;
            let start = offset / block * block;
            let stop =
                (offset + bytes as u64).max(start + self.chunk as u64).min(end).next_multiple_of(block);
            if stop <= end {
                self.start = start;
                file.read_blocks_at(self.room((stop - start) as usize), start)?;
                self.filled = (stop - start) as usize;
                return Ok(());
            }
        }
        let wanted = (end.saturating_sub(offset)).min(bytes.max(self.chunk) as u64) as usize;
        self.start = offset;
        file.read_exact_at(self.room(wanted), offset)?;
        self.filled = wanted;
        let next = offset + wanted as u64;
        if self.chunk >= WALKS && next < end {
            file.read_ahead(next, (end - next).min(2 * self.chunk as u64));
        }
        Ok(())
    }

    fn room(&mut self, bytes: usize) -> &mut [u8] {
        if self.bytes.len() < self.from + bytes {
            self.bytes = vec![0; bytes + BLOCK];
            self.from = self.bytes.as_ptr().align_offset(BLOCK);
        }
        &mut self.bytes[self.from..self.from + bytes]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, OsDisk};

    /// A damaged length had `verify` look behind the end of a segment, and the window counted below zero.
    #[test]
    fn up_to_the_end_there_is_what_was_written_and_nothing_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = OsDisk.create_new(&dir.path().join("segment")).unwrap();
        let written: Vec<u8> = (0..3 * BLOCK + 7).map(|at| (at % 251) as u8).collect();
        file.write_all_at(&written, 0).unwrap();
        let end = written.len() as u64;
        for new in [Window::new, Window::aside] {
            for chunk in [1, BLOCK, 2 * BLOCK, 8 * BLOCK] {
                let mut window = new(chunk);
                for at in [0, 1, BLOCK as u64, end - 8, end - 1, end, end + 1, end + BLOCK as u64, 1 << 60] {
                    for bytes in [0, 1, 7, BLOCK + 1] {
                        let wanted = written.get(at as usize..).unwrap_or_default();
                        let found = window.get(&file, at, bytes, end).unwrap();
                        assert!(
                            found == &wanted[..bytes.min(wanted.len())],
                            "{bytes} bytes at {at}, {chunk} at once"
                        );
                    }
                }
            }
        }
    }
}
