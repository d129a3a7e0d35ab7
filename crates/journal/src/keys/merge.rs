//! Merges adjacent runs into one, a slice at a time; and reads several as one for whoever looks at all of them.
//!
//! In slices, because merging 128 million claims takes seconds during which new generations must still be
//! filed, and because a caller that drives the filer step by step must be able to stop in between. Memory:
//! one chunk an input, and the filter and fences of the result.

use std::sync::Arc;

use super::digest::Entry;
use super::error::KeysError;
use super::format::{Header, Range};
use super::run::Run;
use super::writer::RunWriter;
use crate::disk::Disk;

pub(super) struct Merge<D: Disk> {
    inputs: Vec<Arc<Run>>,
    merged: Merged,
    writer: RunWriter<D>,
    tier: u32,
}

impl<D: Disk> Merge<D> {
    /// Starts to merge runs that follow each other in sequence, oldest first.
    pub(super) fn start(
        inputs: Vec<Arc<Run>>,
        identity: [u8; 32],
        create: impl FnOnce(Header) -> Result<RunWriter<D>, KeysError>,
    ) -> Result<Self, KeysError> {
        debug_assert!(inputs.windows(2).all(|pair| pair[0].range().last + 1 == pair[1].range().first));
        let tier = inputs[0].tier();
        let header = Header {
            identity,
            range: Range { first: inputs[0].range().first, last: inputs[inputs.len() - 1].range().last },
            entries: inputs.iter().map(|run| run.entries()).sum(),
            tier: tier + 1,
            fences_crc: 0,
            filter_crc: 0,
        };
        let writer = create(header)?;
        let merged = Merged::new(&inputs);
        Ok(Self { inputs, merged, writer, tier })
    }

    /// The tier of the inputs.
    pub(super) fn tier(&self) -> u32 {
        self.tier
    }

    pub(super) fn inputs(&self) -> &[Arc<Run>] {
        &self.inputs
    }

    /// Moves up to `entries` entries; true when none is left.
    pub(super) fn advance(&mut self, entries: usize) -> Result<bool, KeysError> {
        for _ in 0..entries {
            let Some(entry) = self.merged.next()? else { return Ok(true) };
            self.writer.push(&entry)?;
        }
        Ok(false)
    }

    pub(super) fn finish(self) -> Result<Run, KeysError> {
        self.writer.finish()
    }

    pub(super) fn abandon(self) {
        self.writer.abandon();
    }
}

/// The entries of several runs in one order, each run read once from front to back.
pub(super) struct Merged {
    cursors: Vec<Cursor>,
}

impl Merged {
    pub(super) fn new(runs: &[Arc<Run>]) -> Self {
        Self { cursors: runs.iter().map(|run| Cursor::new(run.clone())).collect() }
    }

    /// The least entry that is left; equal ones come as often as they stand there.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, KeysError> {
        let mut least: Option<(usize, Entry)> = None;
        for at in (0..self.cursors.len()).rev() {
            match self.cursors[at].peek()? {
                None => {
                    // Positions behind `at` move, and `least` may name the one that moved here.
                    self.cursors.swap_remove(at);
                    if let Some((place, _)) = &mut least
                        && *place == self.cursors.len()
                    {
                        *place = at;
                    }
                }
                Some(entry) => {
                    if least.is_none_or(|(_, least)| entry < least) {
                        least = Some((at, entry));
                    }
                }
            }
        }
        Ok(least.map(|(at, entry)| {
            self.cursors[at].at += 1;
            entry
        }))
    }
}

/// Where a merge stands in one of its inputs.
struct Cursor {
    run: Arc<Run>,
    scratch: Vec<u8>,
    chunk: Vec<Entry>,
    at: usize,
    next_block: u64,
}

impl Cursor {
    fn new(run: Arc<Run>) -> Self {
        Self { run, scratch: Vec::new(), chunk: Vec::new(), at: 0, next_block: 0 }
    }

    #[inline]
    fn peek(&mut self) -> Result<Option<Entry>, KeysError> {
        if self.at == self.chunk.len() && !self.refill()? {
            return Ok(None);
        }
        Ok(Some(self.chunk[self.at]))
    }

    #[cold]
    fn refill(&mut self) -> Result<bool, KeysError> {
        self.chunk.clear();
        self.at = 0;
        if self.next_block == self.run.blocks() {
            return Ok(false);
        }
        self.next_block = self.run.read_chunk(self.next_block, &mut self.scratch, &mut self.chunk)?;
        Ok(true)
    }
}
