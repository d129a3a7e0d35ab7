//! The independent walk: every segment in order, every header, checksum, sequence and link of the chain, read-only.
//!
//! It uses no index, no sidecar and no snapshot, and computes the chain by itself, so it proves what a start merely
//! trusts; sidecars are compared with what was found.
//!
//! It may walk a folder in use. While a server appends, the walk can meet a frame half written, with later ones already
//! behind it, which looks like damage. So before it says damage it looks at that place again: a frame that is whole by
//! then was being written, and the walk ends before it.

mod sidecars;

use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, OpenError};
use crate::folder::read_identity;
use crate::frame::{FrameHeader, check_records, records};
use crate::identity::Identity;
use crate::layout::{BLOCK, FIRST_FRAME, FRAME_HEADER, journal_dir, number_in, segment_path};
use crate::record::Record;
use crate::segment::{HeaderFound, SegmentHeader};
use crate::tail::{Rest, Search};
use crate::window::Window;
use sidecars::Made;
use std::path::Path;

pub use sidecars::Sidecars;

const WINDOW_BYTES: usize = 1 << 20;

/// What a walk over a whole journal found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose journal it is.
    pub identity: Identity,
    /// The last good record and the chain there.
    pub head: Head,
    /// Segments that hold frames.
    pub segments: u64,
    /// Frames, confirming ones included.
    pub frames: u64,
    /// Records.
    pub records: u64,
    /// Bytes of all segment files.
    pub bytes: u64,
    /// Segments that wait to be used.
    pub spares: Vec<u64>,
    /// Files in the folder that are no part of a journal: left over from an interrupted making, or foreign.
    pub strangers: Vec<String>,
    /// Whether a later frame confirms the last records; if not, a server is running or was killed.
    pub confirmed: bool,
    /// Bytes behind the last good frame that are no acknowledged record: a frame being written, or a torn one.
    pub tail: Option<Tail>,
    /// Whether a server was seen writing: the walk ended where the journal ended when it got there.
    pub in_use: bool,
    /// Sidecars of sealed segments.
    pub sidecars: Sidecars,
    /// The first damage. What comes after it was not looked at.
    pub damage: Option<Damage>,
}

/// An unfinished frame behind the last good one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The segment's number.
    pub segment: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Bytes that are not zero, in whole blocks.
    pub bytes: u64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// Walks the journal in `dir`, calling `record` for each good record in order and `progress` with bytes done and in all.
///
/// # Errors
/// What kept it from walking at all; damage is part of the report.
pub fn verify<D: Disk>(
    disk: &D,
    dir: &Path,
    record: &mut dyn FnMut(Record<'_>),
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, OpenError> {
    if !disk.exists(&dir.join(crate::layout::IDENTITY_FILE)) {
        return Err(OpenError::NotABank { dir: dir.to_path_buf() });
    }
    let identity = read_identity(disk, dir)?;
    let journal = journal_dir(dir);
    let mut numbers = Vec::new();
    let mut report = Report {
        identity,
        head: Head::start(&identity),
        segments: 0,
        frames: 0,
        records: 0,
        bytes: 0,
        spares: Vec::new(),
        strangers: Vec::new(),
        confirmed: true,
        tail: None,
        in_use: false,
        sidecars: Sidecars::default(),
        damage: None,
    };
    for name in disk.list(&journal).map_err(OpenError::io("list", &journal))? {
        match number_in(&name, "seg") {
            Some(number) => numbers.push(number),
            None if number_in(&name, "idx").is_some() => {}
            None => report.strangers.push(name),
        }
    }
    for number in &numbers {
        let path = segment_path(&journal, *number);
        let file = disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        report.bytes += file.len().map_err(OpenError::io("measure", &path))?;
    }
    let mut walk = Walk { disk, journal: &journal, report, record, progress, done: 0 };
    let mut open_end = None;
    for number in 1.. {
        // Asked now: a server makes segments while the walk is on its way.
        if !disk.exists(&segment_path(&journal, number)) {
            walk.damage(number, 0, "the segment's file is missing");
            break;
        }
        let frames = walk.report.frames;
        let Some((made, (offset, reach, what))) = walk.segment(number)? else { break };
        walk.report.segments += u64::from(number == 1 || walk.report.frames > frames);
        open_end = Some((number, offset, reach, what));
        if !walk.next_continues(number + 1)? {
            break;
        }
        let Report { identity, head, sidecars, .. } = &mut walk.report;
        made.compare(disk, &journal, identity, head, sidecars);
    }
    if walk.report.damage.is_none()
        && let Some(end) = open_end
    {
        walk.behind(end, &numbers)?;
    }
    let total = walk.report.bytes;
    (walk.progress)(total, total);
    Ok(walk.report)
}

/// Where no good frame stands: the offset, how far a bad frame reaches, and what is wrong with it.
type End = (u64, u64, &'static str);

struct Walk<'a, D: Disk> {
    disk: &'a D,
    journal: &'a Path,
    report: Report,
    record: &'a mut dyn FnMut(Record<'_>),
    progress: &'a mut dyn FnMut(u64, u64),
    done: u64,
}

impl<D: Disk> Walk<'_, D> {
    fn damage(&mut self, segment: u64, offset: u64, what: &'static str) {
        let sequence = self.report.head.sequence + 1;
        self.report.damage.get_or_insert(Damage { segment, offset, sequence, what });
    }

    /// Walks one segment to where no good frame stands. `None` after damage.
    fn segment(&mut self, number: u64) -> Result<Option<(Made, End)>, OpenError> {
        let path = segment_path(self.journal, number);
        let file = self.disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let length = file.len().map_err(OpenError::io("measure", &path))?;
        let mut window = Window::aside(WINDOW_BYTES);
        let block = window.get(&file, 0, BLOCK, length).map_err(OpenError::io("read", &path))?;
        let header = match SegmentHeader::decode(block) {
            HeaderFound::Good(header) => header,
            HeaderFound::Version(found) => return Err(OpenError::OtherVersion { found }),
            HeaderFound::Damaged => {
                self.damage(number, 0, "the segment's header is damaged");
                return Ok(None);
            }
        };
        if header.number != number || header.identity != self.report.identity || header.bytes > length {
            self.damage(number, 0, "the segment's header does not fit its file");
            return Ok(None);
        }
        let mut made = Made::new(number, header.bytes, &self.report.head);
        let mut at = FIRST_FRAME;
        loop {
            (self.progress)(self.done + at, self.report.bytes);
            let bytes =
                window.get(&file, at, FRAME_HEADER, header.bytes).map_err(OpenError::io("read", &path))?;
            let Some(frame) = FrameHeader::decode(bytes) else {
                self.done += length;
                return Ok(Some((made, (at, at, "no valid frame header"))));
            };
            let fits = at + frame.bytes() <= header.bytes;
            if !frame.stands_at(&self.report.identity, number, at)
                || !frame.continues(&self.report.head)
                || !fits
            {
                self.damage(number, at, "a frame that does not belong here");
                return Ok(None);
            }
            let content =
                window.get(&file, at, frame.content(), header.bytes).map_err(OpenError::io("read", &path))?;
            match check_records(&frame, content, self.report.head) {
                Ok(head) => self.report.head = head,
                Err((_, what)) => {
                    self.done += length;
                    return Ok(Some((made, (at, at + frame.bytes(), what))));
                }
            }
            for (place, record) in records(content).take(frame.records as usize) {
                made.record(at + place as u64, &record);
                (self.record)(record);
            }
            self.report.frames += 1;
            self.report.records += u64::from(frame.records);
            self.report.confirmed = frame.records == 0;
            at += frame.bytes();
        }
    }

    fn next_continues(&self, number: u64) -> Result<bool, OpenError> {
        let path = segment_path(self.journal, number);
        if !self.disk.exists(&path) {
            return Ok(false);
        }
        let file = self.disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let length = file.len().map_err(OpenError::io("measure", &path))?;
        if length < FIRST_FRAME + FRAME_HEADER as u64 {
            return Ok(false);
        }
        let mut bytes = [0; FRAME_HEADER];
        file.read_exact_at(&mut bytes, FIRST_FRAME).map_err(OpenError::io("read", &path))?;
        Ok(FrameHeader::decode(&bytes).is_some_and(|header| header.continues(&self.report.head)))
    }

    /// Looks at everything behind the last good frame: zeros and spares, an unfinished frame, or damage.
    fn behind(&mut self, end: (u64, u64, u64, &'static str), numbers: &[u64]) -> Result<(), OpenError> {
        let (number, offset, reach, what) = end;
        let expected = self.report.head.sequence + 1;
        let search = Search { journal: self.journal, identity: self.report.identity, expected };
        let mut rest = Rest::default();
        search.segment(self.disk, number, (offset, reach), &mut rest)?;
        for (later, expected) in numbers.iter().filter(|later| **later > number).zip(number + 1..) {
            if *later != expected {
                self.damage(expected, 0, "the segment's file is missing");
                return Ok(());
            }
            search.segment(self.disk, *later, (FIRST_FRAME, FIRST_FRAME), &mut rest)?;
            self.report.spares.push(*later);
        }
        if rest.follower.is_some() {
            if self.whole_by_now(number, offset)? || self.whole_by_now(number + 1, FIRST_FRAME)? {
                self.report.in_use = true;
            } else {
                self.damage(number, offset, what);
            }
        } else if let Some((segment, at, _)) = rest.dirty.first() {
            let bytes = rest.dirty.iter().map(|(_, _, bytes)| bytes).sum();
            self.report.tail = Some(Tail { segment: *segment, offset: *at, bytes, what });
        }
        Ok(())
    }

    /// The second look: whether the frame that goes on from the head stands there now, whole.
    fn whole_by_now(&self, number: u64, offset: u64) -> Result<bool, OpenError> {
        let path = segment_path(self.journal, number);
        if !self.disk.exists(&path) {
            return Ok(false);
        }
        let file = self.disk.open_read(&path).map_err(OpenError::io("open", &path))?;
        let length = file.len().map_err(OpenError::io("measure", &path))?;
        let mut window = Window::new(BLOCK);
        let mut get = |bytes| window.get(&file, offset, bytes, length).map(<[u8]>::to_vec);
        let header = get(FRAME_HEADER).map_err(OpenError::io("read", &path))?;
        let Some(frame) = FrameHeader::decode(&header).filter(|frame| {
            frame.stands_at(&self.report.identity, number, offset)
                && frame.continues(&self.report.head)
                && offset + frame.bytes() <= length
        }) else {
            return Ok(false);
        };
        let content = get(frame.content()).map_err(OpenError::io("read", &path))?;
        Ok(check_records(&frame, &content, self.report.head).is_ok())
    }
}
