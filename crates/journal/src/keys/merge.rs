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
        let merged = Merged::new(&inputs)?;
        let writer = create(header)?;
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
    /// Where each cursor stands.
    heads: Vec<Entry>,
}

impl Merged {
    pub(super) fn new(runs: &[Arc<Run>]) -> Result<Self, KeysError> {
        let (mut cursors, mut heads) = (Vec::with_capacity(runs.len()), Vec::with_capacity(runs.len()));
        for run in runs {
            let mut cursor = Cursor::new(run.clone());
            if let Some(head) = cursor.next()? {
                cursors.push(cursor);
                heads.push(head);
            }
        }
        Ok(Self { cursors, heads })
    }

    /// The least entry that is left; equal ones come as often as they stand there.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Entry>, KeysError> {
        let Some(mut least) = self.heads.first() else { return Ok(None) };
        let mut place = 0;
        for (at, head) in self.heads.iter().enumerate().skip(1) {
            // Which is less is a coin's throw, so it is computed; whether they are equal is foreseen.
            let (high, least_high) = (head.digest.high, least.digest.high);
            if high < least_high || (high == least_high && head < least) {
                (place, least) = (at, head);
            }
        }
        let entry = *least;
        match self.cursors[place].next()? {
            Some(head) => self.heads[place] = head,
            None => {
                self.cursors.swap_remove(place);
                self.heads.swap_remove(place);
            }
        }
        Ok(Some(entry))
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
    fn next(&mut self) -> Result<Option<Entry>, KeysError> {
        if self.at == self.chunk.len() && !self.refill()? {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.chunk[self.at - 1]))
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
