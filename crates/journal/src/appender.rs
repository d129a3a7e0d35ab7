//! The writing end: one batch becomes one frame, one write, one sync; only then does the watermark move.
//!
//! Checksums and chain are computed in a single pass over each record while it is in the cache. The first failed write
//! or sync poisons the journal: what a failed sync left on the disk cannot be known, and asking again would lie.
//! Nothing durable happens in `Drop`.

use crate::batch::Batch;
use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::error::AppendError;
use crate::files::Files;
use crate::frame::FrameHeader;
use crate::identity::Identity;
use crate::index::{Index, SegmentIndex, has_entry};
use crate::layout::{BLOCK, FIRST_FRAME, FRAME_HEADER, SLOT, whole_blocks};
use crate::record::Record;
use crate::spares::{Capacity, Pool};
use crate::watermark::Watermark;
use std::sync::Arc;

/// Frames from this size on are written around the page cache: under such load it would be filled with what nobody asks
/// for, and making room in it costs a fifth of the processor time. What comes in at leisure stays in it and is read at once.
const LARGE_FRAME: usize = 256 << 10;

/// Appends batches; lives on one thread.
pub struct Appender<D: Disk> {
    pub(crate) pool: Arc<Pool<D>>,
    pub(crate) watermark: Arc<Watermark>,
    pub(crate) index: Arc<Index>,
    pub(crate) files: Arc<Files<D>>,
    pub(crate) identity: Identity,
    pub(crate) frame_bytes_max: u64,
    pub(crate) current: Current<D::File>,
    pub(crate) head: Head,
    /// Whether the last frame holds records that no later frame confirms.
    pub(crate) unconfirmed: bool,
    /// Reused: the offsets, within the frame, of the records that get an index entry.
    pub(crate) offsets: Vec<u32>,
}

/// The segment being written.
pub(crate) struct Current<F> {
    pub file: Arc<F>,
    pub index: Arc<SegmentIndex>,
    /// Where the next frame goes.
    pub at: u64,
}

impl<F> Current<F> {
    pub fn rest(&self) -> u64 {
        self.index.bytes - self.at
    }
}

impl<D: Disk> Appender<D> {
    /// Makes a batch durable as one frame and moves the watermark. The batch keeps its records (now with checksums), so
    /// that answers can be made from them; an empty one changes nothing.
    ///
    /// # Errors
    /// See [`AppendError`]; after `Poisoned` the batch may or may not be found by the next start, in the other cases
    /// nothing was written.
    pub fn append(&mut self, batch: &mut Batch) -> Result<Head, AppendError> {
        self.check_alive()?;
        if batch.is_empty() {
            return Ok(self.head);
        }
        let bytes = whole_blocks(batch.bytes.len() as u64);
        if bytes > self.frame_bytes_max {
            return Err(AppendError::TooLarge { bytes, limit: self.frame_bytes_max });
        }
        let after = self.seal(batch)?;
        let rolled = self.make_room(bytes)?;
        // An entry for the first record of a segment is known only now.
        let first = self.current.index.first;
        if first == self.head.sequence + 1 && !has_entry(first, 0) {
            self.offsets.insert(0, FRAME_HEADER as u32);
        }
        let content = batch.bytes.len();
        batch.bytes.resize(bytes as usize, 0);
        let written = self.write(&mut batch.bytes, batch.records, content, after);
        batch.bytes.truncate(content);
        written?;
        self.watermark.advance(after);
        if rolled && self.pool.inline() {
            self.pool.maintain();
        }
        Ok(after)
    }

    /// Writes an empty frame that confirms the last one, unless it is confirmed already. To be called when nothing
    /// follows within a short while, and before stopping: an unconfirmed last frame that is found damaged would be
    /// taken for a torn one.
    ///
    /// # Errors
    /// As for [`Appender::append`].
    pub fn confirm(&mut self) -> Result<(), AppendError> {
        self.check_alive()?;
        if !self.unconfirmed {
            return Ok(());
        }
        self.make_room(BLOCK as u64)?;
        self.offsets.clear();
        let mut block = vec![0; BLOCK];
        self.write(&mut block, 0, FRAME_HEADER, self.head)
    }

    /// The head: the last durable record.
    pub fn head(&self) -> Head {
        self.head
    }

    /// A handle that tells whether new work may be accepted.
    pub fn room(&self) -> Capacity {
        self.pool.capacity()
    }

    /// Makes spares and sidecars now; does nothing while a background thread does.
    pub fn maintain(&mut self) {
        self.pool.maintain();
    }

    fn check_alive(&self) -> Result<(), AppendError> {
        if !self.watermark.poisoned() {
            return Ok(());
        }
        Err(AppendError::Poisoned { cause: self.watermark.cause().unwrap_or_default() })
    }

    /// Completes the records: sequences checked, checksums filled in, chain computed, entries noted.
    fn seal(&mut self, batch: &mut Batch) -> Result<Head, AppendError> {
        let mut head = self.head;
        self.offsets.clear();
        let mut at = FRAME_HEADER;
        while at < batch.bytes.len() {
            let end = at + usize::from(batch.bytes[at + 2]) * SLOT;
            let check = crc32c::crc32c(&batch.bytes[at..end - 4]);
            batch.bytes[end - 4..end].copy_from_slice(&check.to_be_bytes());
            let record = Record::at_start_of(&batch.bytes[at..end]).expect("push let only whole records in");
            let expected = head.sequence + 1;
            if record.sequence() != expected {
                return Err(AppendError::Sequence { expected, found: record.sequence() });
            }
            if has_entry(expected, 0) {
                self.offsets.push(at as u32);
            }
            head = head.next(record.hashed());
            at = end;
        }
        Ok(head)
    }

    /// Turns to the next segment if the current one cannot take `bytes`; says whether it did.
    fn make_room(&mut self, bytes: u64) -> Result<bool, AppendError> {
        let mut rolled = false;
        // Twice only when segments became smaller than they were.
        while self.current.rest() < bytes {
            let number = self.current.index.number + 1;
            let spare = self.pool.take(number)?;
            let index = SegmentIndex::new(number, spare.bytes, self.head.sequence + 1, self.head.hash);
            let index = Arc::new(index);
            self.files.put(number, Arc::clone(&spare.file));
            self.index.push(Arc::clone(&index));
            let next = Current { file: spare.file, index, at: FIRST_FRAME };
            let sealed = std::mem::replace(&mut self.current, next);
            self.pool.seal(sealed.index);
            rolled = true;
        }
        Ok(rolled)
    }

    fn write(
        &mut self,
        frame: &mut [u8],
        records: u32,
        content: usize,
        after: Head,
    ) -> Result<(), AppendError> {
        let header = FrameHeader {
            first: self.head.sequence + 1,
            records,
            slots: ((content - FRAME_HEADER) / SLOT) as u32,
            confirmed: self.head.sequence,
            segment: self.current.index.number,
            offset: self.current.at,
            bank: self.identity.short(),
            timeline: self.identity.timeline,
            before: self.head.hash,
            after: after.hash,
        };
        header.encode(frame);
        let file = &self.current.file;
        let written = match frame.len() {
            LARGE_FRAME.. => file.write_blocks_at(frame, self.current.at),
            _ => file.write_all_at(frame, self.current.at),
        };
        if let Err(error) = written.and_then(|()| file.sync_data()) {
            self.watermark.poison(&error.to_string());
            tracing::error!(segment = header.segment, offset = header.offset, %error, "write failed: journal stopped");
            return self.check_alive();
        }
        self.current.index.extend(self.current.at, &self.offsets, after.sequence + 1, after.hash);
        self.current.at += frame.len() as u64;
        self.head = after;
        self.unconfirmed = records > 0;
        self.pool.note_rest(self.current.rest());
        Ok(())
    }
}
