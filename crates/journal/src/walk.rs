//! The walk over the frames of the segments at opening: each is checked against the chain, indexed, and its records
//! handed to the replay. It reads and never writes; mending is the next module's.

use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, OpenError};
use crate::frame::{FrameHeader, check_records, records};
use crate::identity::Identity;
use crate::index::{SegmentIndex, has_entry};
use crate::layout::{BLOCK, FIRST_FRAME, FRAME_HEADER, segment_path};
use crate::record::Record;
use crate::segment::{HeaderFound, SegmentHeader};
use crate::window::Window;
use std::path::Path;
use std::sync::Arc;

const WINDOW_BYTES: usize = 1 << 20;

pub(crate) struct Walk<'a, D: Disk> {
    pub disk: &'a D,
    pub journal: &'a Path,
    pub identity: Identity,
    pub after: Option<Head>,
    pub replay: &'a mut dyn FnMut(Record<'_>),
    pub head: Head,
    pub replayed: u64,
    /// The last good frame met so far.
    pub last: Option<FrameHeader>,
}

/// Where and why the walk through a segment ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub offset: u64,
    pub sequence: u64,
    pub what: &'static str,
    /// Up to where the bad frame reaches, as far as its header can be believed.
    pub reach: u64,
}

/// A segment's own header, if it is whole and belongs here.
pub(crate) fn header<D: Disk>(
    disk: &D,
    journal: &Path,
    identity: Identity,
    number: u64,
) -> Result<Option<SegmentHeader>, OpenError> {
    let path = segment_path(journal, number);
    let file = disk.open_read(&path).map_err(OpenError::io("open", &path))?;
    let bytes = file.len().map_err(OpenError::io("measure", &path))?;
    if bytes < FIRST_FRAME {
        return Ok(None);
    }
    let mut block = vec![0; BLOCK];
    file.read_exact_at(&mut block, 0).map_err(OpenError::io("read", &path))?;
    match SegmentHeader::decode(&block) {
        HeaderFound::Good(header) => {
            let fits = header.number == number && header.bytes <= bytes && header.identity == identity;
            Ok(fits.then_some(header))
        }
        HeaderFound::Version(found) => Err(OpenError::OtherVersion { found }),
        HeaderFound::Damaged => Ok(None),
    }
}

impl<D: Disk> Walk<'_, D> {
    /// Whether a segment is whole and its first frame's header goes on exactly from `head`.
    pub fn continues_in(&self, number: u64, head: &Head) -> Result<bool, OpenError> {
        let path = segment_path(self.journal, number);
        if !self.disk.exists(&path) || header(self.disk, self.journal, self.identity, number)?.is_none() {
            return Ok(false);
        }
        let file = self.disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let mut bytes = [0; FRAME_HEADER];
        file.read_exact_at(&mut bytes, FIRST_FRAME).map_err(OpenError::io("read", &path))?;
        let header = FrameHeader::decode(&bytes);
        Ok(header.is_some_and(|h| h.stands_at(&self.identity, number, FIRST_FRAME) && h.continues(head)))
    }

    /// Walks one segment from its first frame to the first place where no good frame stands.
    pub fn segment(&mut self, header: &SegmentHeader) -> Result<(Arc<SegmentIndex>, Stop), OpenError> {
        let number = header.number;
        let path = segment_path(self.journal, number);
        let file = self.disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let index = SegmentIndex::new(number, header.bytes, self.head.sequence + 1, self.head.hash);
        let mut window = Window::new(WINDOW_BYTES);
        let mut offsets = Vec::new();
        let mut at = FIRST_FRAME;
        loop {
            let stop = |reach, what| Stop { offset: at, sequence: self.head.sequence + 1, what, reach };
            let bytes =
                window.get(&file, at, FRAME_HEADER, header.bytes).map_err(OpenError::io("read", &path))?;
            let Some(frame) = FrameHeader::decode(bytes) else {
                return Ok((Arc::new(index), stop(at, "no valid frame header")));
            };
            // Whole and sound, but not the next one here: no torn write looks like that.
            if !frame.stands_at(&self.identity, number, at) {
                return Err(self.damage(number, at, "a frame that was written for another place"));
            }
            if !frame.continues(&self.head) {
                return Err(self.damage(number, at, "a frame that does not continue the one before"));
            }
            if at + frame.bytes() > header.bytes {
                return Err(self.damage(number, at, "a frame reaches beyond its segment"));
            }
            let content =
                window.get(&file, at, frame.content(), header.bytes).map_err(OpenError::io("read", &path))?;
            let next = match check_records(&frame, content, self.head) {
                Ok(next) => next,
                Err((sequence, what)) => {
                    let stop = Stop { offset: at, sequence, what, reach: at + frame.bytes() };
                    return Ok((Arc::new(index), stop));
                }
            };
            offsets.clear();
            let mut head = self.head;
            for (place, record) in records(content).take(frame.records as usize) {
                if has_entry(record.sequence(), index.first) {
                    offsets.push(place as u32);
                }
                if let Some(after) = self.after
                    && record.sequence() <= after.sequence
                {
                    // Only where the snapshot's head lies within the frame is the chain needed record by record.
                    if after.sequence < next.sequence {
                        head = head.next(record.hashed());
                        check_passes(&head, &after)?;
                    }
                    continue;
                }
                (self.replay)(record);
                self.replayed += 1;
            }
            self.head = next;
            self.last = Some(frame);
            index.extend(at, &offsets, next.sequence + 1, next.hash);
            self.check_after()?;
            at += frame.bytes();
        }
    }

    /// Where the walk stands exactly at the snapshot's sequence, the chain must be the snapshot's.
    pub fn check_after(&self) -> Result<(), OpenError> {
        self.after.map_or(Ok(()), |after| check_passes(&self.head, &after))
    }

    pub fn damage(&self, segment: u64, offset: u64, what: &'static str) -> OpenError {
        OpenError::Damage(Damage { segment, offset, sequence: self.head.sequence + 1, what })
    }
}

fn check_passes(head: &Head, after: &Head) -> Result<(), OpenError> {
    if head.sequence == after.sequence && head.hash != after.hash {
        return Err(OpenError::SnapshotMismatch { sequence: after.sequence });
    }
    Ok(())
}
