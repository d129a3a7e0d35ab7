//! Where things stand: frames and records of the segments, read by hand from the format's tables.
//!
//! For naming the place of a damage, for reading a handful of events of a folder that nobody opened, and for
//! `bankcore inspect`. See docs/journal-format.md. Nothing is checked here but that a header
//! stands at its place.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use journal::{BLOCK, FRAME_HEADER, Identity, SLOT};

/// A frame's header as it stands in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The segment's number.
    pub segment: u64,
    /// Where the frame begins, in bytes.
    pub offset: u64,
    /// The first record's sequence.
    pub first: u64,
    /// How many records.
    pub records: u32,
    /// Bytes of header and records, without the padding.
    pub content: u64,
    /// The last sequence that was durable before this frame was written.
    pub confirmed: u64,
    /// The chain after the last record.
    pub after: [u8; 32],
}

/// A record and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The segment's number.
    pub segment: u64,
    /// Where the record begins, in bytes.
    pub offset: u64,
    /// Its sequence.
    pub sequence: u64,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Bank and timeline, as `IDENTITY` names them; its checksum is not looked at.
#[must_use]
pub fn identity(text: &str) -> Option<Identity> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    let digits = value("bank").filter(|digits| digits.len() == 32)?;
    let bank = u128::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some(Identity { bank, timeline: value("timeline")?.parse().ok()? })
}

/// The path of a segment.
#[must_use]
pub fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join("journal").join(format!("{number:012}.seg"))
}

/// The frames of one segment in order, up to the first place where none stands.
pub struct Frames {
    file: File,
    segment: u64,
    at: u64,
    end: u64,
}

impl Frames {
    /// Of segment `number`.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn of(dir: &Path, number: u64) -> io::Result<Frames> {
        let file = File::open(segment_path(dir, number))?;
        let end = file.metadata()?.len();
        Ok(Frames { file, segment: number, at: BLOCK as u64, end })
    }

    /// The frame at an offset, if one stands there.
    fn read(&self, at: u64) -> io::Result<Option<Frame>> {
        if at + FRAME_HEADER as u64 > self.end {
            return Ok(None);
        }
        let mut header = [0; FRAME_HEADER];
        self.file.read_exact_at(&mut header, at)?;
        let frame = Frame {
            segment: self.segment,
            offset: at,
            first: u64_at(&header, 8),
            records: u32_at(&header, 16),
            content: (FRAME_HEADER + u32_at(&header, 20) as usize * SLOT) as u64,
            confirmed: u64_at(&header, 24),
            after: header[96..128].try_into().expect("32 bytes"),
        };
        let here = &header[..4] == b"BCF1"
            && u64_at(&header, 32) == self.segment
            && u64_at(&header, 40) == at
            && at + frame.content <= self.end;
        Ok(here.then_some(frame))
    }

    /// The records of a frame of this segment. Ends early where a record's envelope makes no sense.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn records(&self, frame: &Frame) -> io::Result<Vec<Placed>> {
        let mut content = vec![0; frame.content as usize];
        self.file.read_exact_at(&mut content, frame.offset)?;
        let mut records = Vec::with_capacity(frame.records as usize);
        let mut at = FRAME_HEADER;
        for _ in 0..frame.records {
            let length = content.get(at + 2).map_or(0, |slots| usize::from(*slots) * SLOT);
            let Some(bytes) = content.get(at..at + length).filter(|bytes| !bytes.is_empty()) else { break };
            records.push(Placed {
                segment: self.segment,
                offset: frame.offset + at as u64,
                sequence: u64_at(bytes, 8),
                bytes: bytes.to_vec(),
            });
            at += length;
        }
        Ok(records)
    }
}

impl Iterator for Frames {
    type Item = io::Result<Frame>;

    fn next(&mut self) -> Option<io::Result<Frame>> {
        let frame = self.read(self.at).transpose()?;
        if let Ok(frame) = &frame {
            self.at += frame.content.next_multiple_of(BLOCK as u64);
        }
        Some(frame)
    }
}

/// Calls `each` for the records with these sequences, which must be sorted. Reads the headers of all frames
/// once and the content of those that are needed.
///
/// # Errors
/// If the disk refuses.
pub fn sweep(dir: &Path, sequences: &[u64], each: &mut dyn FnMut(Placed)) -> io::Result<()> {
    let mut wanted = sequences.iter().copied().peekable();
    let Some(&first) = wanted.peek() else { return Ok(()) };
    let mut number = segment_of(dir, first)?;
    while wanted.peek().is_some() {
        let mut frames = match Frames::of(dir, number) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        while let Some(frame) = frames.next() {
            let frame = frame?;
            let end = frame.first + u64::from(frame.records);
            if wanted.peek().is_none_or(|sequence| *sequence >= end) {
                continue;
            }
            for record in frames.records(&frame)? {
                while wanted.next_if(|sequence| *sequence < record.sequence).is_some() {}
                if wanted.peek() == Some(&record.sequence) {
                    wanted.next();
                    each(record);
                }
            }
        }
        number += 1;
    }
    Ok(())
}

/// The record with this sequence.
///
/// # Errors
/// If the disk refuses.
pub fn find(dir: &Path, sequence: u64) -> io::Result<Option<Placed>> {
    let mut found = None;
    sweep(dir, &[sequence], &mut |record| found = Some(record))?;
    Ok(found)
}

/// The last segment whose first frame begins at or below a sequence.
fn segment_of(dir: &Path, sequence: u64) -> io::Result<u64> {
    let mut number = 1;
    loop {
        match Frames::of(dir, number + 1).map(|mut frames| frames.next()) {
            Ok(Some(Ok(frame))) if frame.first <= sequence => number += 1,
            Ok(Some(Err(error))) => return Err(error),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => return Ok(number),
        }
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
