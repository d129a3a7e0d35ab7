//! A frame under construction: records back to back, with room kept before them for the frame's header, so that the
//! whole frame goes to the disk in one write without being copied.

use crate::layout::{FRAME_HEADER, SLOT};
use crate::record::Record;

/// Records that will become durable together or not at all.
#[derive(Debug)]
pub struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) records: u32,
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::with_buffer(Vec::with_capacity(64 * 1024))
    }

    /// An empty batch that reuses a buffer's memory.
    pub fn with_buffer(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.resize(FRAME_HEADER, 0);
        Self { bytes: buffer, records: 0 }
    }

    /// Adds one record, which `write` appends to the buffer as whole slots with the envelope filled in; the last four
    /// bytes are left to the journal. Returns the record's offset for [`Batch::record`].
    ///
    /// # Panics
    /// If what was appended is not one well-formed record: a bug of the caller that must not reach the disk.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let added = self.bytes.len().checked_sub(start).expect("a record writer only appends");
        assert!(added > 0 && added.is_multiple_of(SLOT), "a record of {added} bytes is not whole slots");
        let record = Record::at_start_of(&self.bytes[start..]).expect("a record's envelope is well-formed");
        assert_eq!(record.bytes().len(), added, "a record's slot count is its length");
        self.records += 1;
        u32::try_from(start).expect("a batch is far smaller than 4 GiB")
    }

    /// The number of records.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The frame's bytes so far: header and records, before padding to whole blocks.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The record at an offset that [`Batch::push`] returned.
    pub fn record(&self, offset: u32) -> Record<'_> {
        Record::at_start_of(&self.bytes[offset as usize..]).expect("the offset came from push")
    }

    /// All records, in order.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        crate::frame::records(&self.bytes).map(|(_, record)| record)
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.truncate(FRAME_HEADER);
        self.records = 0;
    }

    /// Gives the memory back, for [`Batch::with_buffer`].
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}
