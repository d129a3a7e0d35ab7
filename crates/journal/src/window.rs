//! A moving window over a segment file: big sequential reads for whoever walks it, one small read for who wants a record.

use crate::disk::DiskFile;
use std::io;

/// Who reads this much at a time walks on: the disk fetches the next chunk while this one is used.
const WALKS: usize = 256 << 10;

/// Bytes of one file around the place last asked for.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    start: u64,
    filled: usize,
    chunk: usize,
}

impl Window {
    /// A window that reads at least `chunk` bytes at a time.
    pub fn new(chunk: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, filled: 0, chunk }
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
            self.filled = 0;
            let wanted = (end.saturating_sub(offset)).min(bytes.max(self.chunk) as u64) as usize;
            if self.bytes.len() < wanted {
                self.bytes.resize(wanted, 0);
            }
            file.read_exact_at(&mut self.bytes[..wanted], offset)?;
            let next = offset + wanted as u64;
            if self.chunk >= WALKS && next < end {
                file.read_ahead(next, (end - next).min(2 * self.chunk as u64));
            }
            self.start = offset;
            self.filled = wanted;
        }
        let from = (offset - self.start) as usize;
        Ok(&self.bytes[from..from + bytes])
    }
}
