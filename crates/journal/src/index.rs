//! Where a sequence is: per segment, the offset of every sixteenth record (and of the first).
//!
//! A look-up takes the nearest entry at or before the sequence and walks at most fifteen records from there. That is
//! 4 bytes for 16 records in memory: 25 MB at 100 million. The segment being written grows its table after each sync
//! and before the watermark moves, so a reader that knows a sequence to be durable finds it here.

use parking_lot::RwLock;
use std::sync::Arc;

/// An entry for each so many sequences.
pub(crate) const STRIDE: u64 = 16;

/// The index of one segment.
#[derive(Debug)]
pub(crate) struct SegmentIndex {
    pub number: u64,
    /// The segment's length in bytes.
    pub bytes: u64,
    /// The first sequence in it, or the one that will be.
    pub first: u64,
    /// The chain before that.
    pub before: [u8; 32],
    table: RwLock<Table>,
}

/// The part that grows while the segment is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// The sequence after the last one in the segment.
    pub end: u64,
    /// The chain after the last one.
    pub after: [u8; 32],
    /// Byte offsets: of the first record, then of each record whose sequence is a multiple of the stride.
    pub offsets: Vec<u32>,
}

/// Whether a sequence has an entry of its own.
pub(crate) fn has_entry(sequence: u64, first: u64) -> bool {
    sequence.is_multiple_of(STRIDE) || sequence == first
}

impl SegmentIndex {
    pub fn new(number: u64, bytes: u64, first: u64, before: [u8; 32]) -> Self {
        Self::with_table(
            number,
            bytes,
            first,
            before,
            Table { end: first, after: before, offsets: Vec::new() },
        )
    }

    pub fn with_table(number: u64, bytes: u64, first: u64, before: [u8; 32], table: Table) -> Self {
        Self { number, bytes, first, before, table: RwLock::new(table) }
    }

    /// Adds a frame's entries, each `base` bytes further on.
    pub fn extend(&self, base: u64, offsets: &[u32], end: u64, after: [u8; 32]) {
        let mut table = self.table.write();
        table.offsets.extend(offsets.iter().map(|offset| base as u32 + offset));
        table.end = end;
        table.after = after;
    }

    pub fn end(&self) -> u64 {
        self.table.read().end
    }

    pub fn table(&self) -> Table {
        self.table.read().clone()
    }

    /// The nearest entry at or before a sequence of this segment: its sequence, its offset, and the bytes to the next
    /// entry if there is one.
    pub fn nearest(&self, sequence: u64) -> Option<(u64, u64, Option<u64>)> {
        let table = self.table.read();
        let entry = (sequence / STRIDE).checked_sub(self.first / STRIDE)? as usize;
        let offset = u64::from(*table.offsets.get(entry)?);
        let start = (sequence / STRIDE * STRIDE).max(self.first);
        let extent = table.offsets.get(entry + 1).map(|next| u64::from(*next) - offset);
        Some((start, offset, extent))
    }
}

/// The index of all segments that hold frames, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Index(RwLock<Vec<Arc<SegmentIndex>>>);

impl Index {
    pub fn new(segments: Vec<Arc<SegmentIndex>>) -> Self {
        Self(RwLock::new(segments))
    }

    pub fn push(&self, segment: Arc<SegmentIndex>) {
        self.0.write().push(segment);
    }

    /// The segment that holds a sequence, which must be durable.
    pub fn find(&self, sequence: u64) -> Option<Arc<SegmentIndex>> {
        let segments = self.0.read();
        // A segment that got no record at all begins where the next one does; the last of them is the one.
        let after = segments.partition_point(|segment| segment.first <= sequence);
        let found = segments.get(after.checked_sub(1)?)?;
        (sequence < found.end()).then(|| Arc::clone(found))
    }

    pub fn all(&self) -> Vec<Arc<SegmentIndex>> {
        self.0.read().clone()
    }
}
