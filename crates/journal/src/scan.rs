//! Walking records in order: from the nearest index entry, record by record, over frame headers and padding.
//!
//! At each place either a frame's header or a record can stand, or padding up to the next block. A header is told by its
//! magic, its checksum and its naming of this very place; padding by the frame that follows it with the expected
//! sequence. Everything else must be the record with exactly that sequence, and whole.

use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, ReadError};
use crate::frame::FrameHeader;
use crate::identity::Identity;
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
    pub(crate) fn new(reader: Reader<D>, from: u64, to: u64, window: Window) -> Self {
        Self { reader, from: from.max(1), to, window, place: None, ended: false }
    }

    /// The next record, borrowed: for walking many without copying each.
    ///
    /// # Errors
    /// [`ReadError`]: damage, or the disk refused.
    pub fn advance(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        let Some((at, bytes)) = self.locate().inspect_err(|_| self.ended = true)? else { return Ok(None) };
        let place = self.place.as_ref().expect("a record was located");
        let end = place.segment.bytes;
        let found =
            self.window.get(&*place.file, at, bytes, end).map_err(|source| io(&place.segment, source))?;
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
            let (at, bytes) = next_record(&mut self.window, place, &self.reader.inner.identity)?;
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
fn next_record<F: DiskFile>(
    window: &mut Window,
    place: &mut Place<F>,
    identity: &Identity,
) -> Result<(u64, usize), ReadError> {
    let mut at = place.at;
    loop {
        if let Some(header) = header_at(window, place, identity, at)? {
            at += if header.records == 0 { BLOCK } else { FRAME_HEADER } as u64;
            continue;
        }
        let what = match record_at(window, place, at)? {
            Ok(bytes) => return Ok((at, bytes)),
            Err(what) => what,
        };
        // Padding is not checksummed and may hold anything; the frame behind it tells that the last one ended here.
        let next = (at + 1).next_multiple_of(BLOCK as u64);
        let padding = !at.is_multiple_of(BLOCK as u64)
            && header_at(window, place, identity, next)?.is_some_and(|header| header.first == place.sequence);
        if !padding {
            return Err(damage(place.segment.number, at, place.sequence, what));
        }
        at = next;
    }
}

/// The frame header that stands at `at`, if one does.
fn header_at<F: DiskFile>(
    window: &mut Window,
    place: &Place<F>,
    identity: &Identity,
    at: u64,
) -> Result<Option<FrameHeader>, ReadError> {
    if !at.is_multiple_of(BLOCK as u64) {
        return Ok(None);
    }
    let bytes = window.get(&*place.file, at, FRAME_HEADER, place.segment.bytes);
    let header = FrameHeader::decode(bytes.map_err(|source| io(&place.segment, source))?);
    Ok(header.filter(|header| header.stands_at(identity, place.segment.number, at)))
}

/// The length of the expected record at `at`, or why it is not that record.
fn record_at<F: DiskFile>(
    window: &mut Window,
    place: &Place<F>,
    at: u64,
) -> Result<Result<usize, &'static str>, ReadError> {
    let end = place.segment.bytes;
    let bytes = window.get(&*place.file, at, SLOT, end).map_err(|source| io(&place.segment, source))?;
    if bytes.len() < SLOT {
        return Ok(Err("the segment ends before a durable record"));
    }
    let length = usize::from(bytes[2]) * SLOT;
    let bytes = window.get(&*place.file, at, length, end).map_err(|source| io(&place.segment, source))?;
    Ok(match Record::at_start_of(bytes) {
        None => Err("a record's envelope is damaged"),
        Some(record) if record.sequence() != place.sequence => Err("a record has another sequence"),
        Some(record) if !record.checks() => Err("a record's checksum does not hold"),
        Some(_) => Ok(length),
    })
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
