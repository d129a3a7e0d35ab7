//! Walking records in order: from the nearest index entry, record by record, over frame headers and padding.
//!
//! At each place either a frame's header or a record can stand, or padding up to the next block. A header is told by its
//! magic, its checksum and its naming of this very place; padding by a slot count of zero. Everything else must be the
//! record with exactly the expected sequence.

use crate::disk::Disk;
use crate::error::{Damage, ReadError};
use crate::frame::FrameHeader;
use crate::index::SegmentIndex;
use crate::layout::{BLOCK, FRAME_HEADER, SLOT};
use crate::reader::Reader;
use crate::record::{OwnedRecord, Record};
use crate::window::Window;
use std::sync::Arc;

/// An iterator over durable records, up to a limit fixed when it was made. After an error it is at its end.
pub struct Scan<D: Disk> {
    reader: Reader<D>,
    /// The first sequence wanted.
    from: u64,
    /// The last sequence wanted.
    to: u64,
    window: Window,
    place: Option<Place<D::File>>,
    ended: bool,
}

struct Place<F> {
    file: Arc<F>,
    segment: Arc<SegmentIndex>,
    /// The offset looked at next.
    at: u64,
    /// The sequence of the record expected there.
    sequence: u64,
    /// The sequence after the segment's last.
    end: u64,
}

impl<D: Disk> Scan<D> {
    /// `to` must be durable.
    pub(crate) fn new(reader: Reader<D>, from: u64, to: u64, chunk: usize) -> Self {
        Self { reader, from: from.max(1), to, window: Window::new(chunk), place: None, ended: false }
    }

    /// The next record, borrowed: for walking many without copying each.
    ///
    /// # Errors
    /// [`ReadError`]: damage, or the disk refused.
    pub fn advance(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let Some((at, bytes)) = self.locate().inspect_err(|_| self.ended = true)? else { return Ok(None) };
        let place = self.place.as_ref().expect("a record was located");
        let end = place.segment.bytes;
        let found = self.window.get(&*place.file, at, bytes, end).map_err(|source| io(&place.segment, source))?;
        Ok(Record::at_start_of(found))
    }

    /// Finds and checks the next wanted record: its offset and length.
    fn locate(&mut self) -> Result<Option<(u64, usize)>, ReadError> {
        loop {
            if self.ended || self.from > self.to {
                return Ok(None);
            }
            if self.place.as_ref().is_none_or(|place| place.sequence >= place.end) {
                self.place = Some(self.enter(self.from)?);
                self.window.forget();
            }
            let place = self.place.as_mut().expect("just entered");
            let (at, bytes) = next_record(&mut self.window, place, self.reader.inner.identity)?;
            place.at = at + bytes as u64;
            place.sequence += 1;
            if place.sequence > self.from {
                self.from = place.sequence;
                return Ok(Some((at, bytes)));
            }
        }
    }

    fn enter(&self, sequence: u64) -> Result<Place<D::File>, ReadError> {
        let inner = &self.reader.inner;
        let lost = |segment| damage(segment, 0, sequence, "a durable sequence is not in the index");
        let segment = inner.index.find(sequence).ok_or_else(|| lost(0))?;
        let (start, at, _) = segment.nearest(sequence).ok_or_else(|| lost(segment.number))?;
        let file = inner.files.get(segment.number).map_err(|source| io(&segment, source))?;
        let end = segment.end();
        Ok(Place { file, segment, at, sequence: start, end })
    }
}

/// The place of the expected record, checked.
fn next_record<F: crate::disk::DiskFile>(
    window: &mut Window,
    place: &mut Place<F>,
    identity: crate::identity::Identity,
) -> Result<(u64, usize), ReadError> {
    let (number, end) = (place.segment.number, place.segment.bytes);
    let wrong = |at, what| damage(number, at, place.sequence, what);
    let mut at = place.at;
    loop {
        let aligned = at.is_multiple_of(BLOCK as u64);
        let bytes = window.get(&*place.file, at, FRAME_HEADER, end).map_err(|source| io(&place.segment, source))?;
        if bytes.len() < SLOT {
            return Err(wrong(at, "the segment ends before a durable record"));
        }
        if aligned
            && let Some(header) = FrameHeader::decode(bytes)
            && header.stands_at(&identity, number, at)
        {
            at += if header.records == 0 { BLOCK } else { FRAME_HEADER } as u64;
            continue;
        }
        let length = usize::from(bytes[2]) * SLOT;
        if length == 0 {
            if aligned {
                return Err(wrong(at, "neither a frame nor a record"));
            }
            at = at.next_multiple_of(BLOCK as u64);
            continue;
        }
        let bytes = window.get(&*place.file, at, length, end).map_err(|source| io(&place.segment, source))?;
        let record = Record::at_start_of(bytes).ok_or_else(|| wrong(at, "a record's envelope is damaged"))?;
        if record.sequence() != place.sequence {
            return Err(wrong(at, "a record has another sequence"));
        }
        if !record.checks() {
            return Err(wrong(at, "a record's checksum does not hold"));
        }
        return Ok((at, length));
    }
}

fn damage(segment: u64, offset: u64, sequence: u64, what: &'static str) -> ReadError {
    ReadError::Damage(Damage { segment, offset, sequence, what })
}

fn io(segment: &SegmentIndex, source: std::io::Error) -> ReadError {
    ReadError::Io { segment: segment.number, source }
}

impl<D: Disk> Iterator for Scan<D> {
    type Item = Result<OwnedRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().map(|record| record.map(|record| record.to_owned())).transpose()
    }
}
