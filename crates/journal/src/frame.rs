//! A frame: what is written and synced in one go. Its header binds it to one place in one segment of one bank, and to
//! one point of the chain, so that nothing stale, moved or foreign is ever taken for new.

use crate::chain::Head;
use crate::identity::Identity;
use crate::layout::{FRAME_HEADER, SLOT, array_at, u32_at, u64_at, whole_blocks};
use crate::record::Record;

const MAGIC: &[u8; 4] = b"BCF1";

/// A frame's header, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub first: u64,
    pub records: u32,
    pub slots: u32,
    pub confirmed: u64,
    pub segment: u64,
    pub offset: u64,
    pub bank: [u8; 8],
    pub timeline: u32,
    pub before: [u8; 32],
    pub after: [u8; 32],
}

impl FrameHeader {
    pub fn encode(&self, to: &mut [u8]) {
        to[..4].copy_from_slice(MAGIC);
        to[8..16].copy_from_slice(&self.first.to_be_bytes());
        to[16..20].copy_from_slice(&self.records.to_be_bytes());
        to[20..24].copy_from_slice(&self.slots.to_be_bytes());
        to[24..32].copy_from_slice(&self.confirmed.to_be_bytes());
        to[32..40].copy_from_slice(&self.segment.to_be_bytes());
        to[40..48].copy_from_slice(&self.offset.to_be_bytes());
        to[48..56].copy_from_slice(&self.bank);
        to[56..60].copy_from_slice(&self.timeline.to_be_bytes());
        to[60..64].fill(0);
        to[64..96].copy_from_slice(&self.before);
        to[96..128].copy_from_slice(&self.after);
        let check = crc32c::crc32c(&to[8..FRAME_HEADER]);
        to[4..8].copy_from_slice(&check.to_be_bytes());
    }

    /// The header at the beginning of `bytes`, if magic and checksum hold. Says nothing about its place.
    pub fn decode(bytes: &[u8]) -> Option<FrameHeader> {
        if bytes.len() < FRAME_HEADER || &bytes[..4] != MAGIC {
            return None;
        }
        if crc32c::crc32c(&bytes[8..FRAME_HEADER]) != u32_at(bytes, 4) || u32_at(bytes, 60) != 0 {
            return None;
        }
        Some(FrameHeader {
            first: u64_at(bytes, 8),
            records: u32_at(bytes, 16),
            slots: u32_at(bytes, 20),
            confirmed: u64_at(bytes, 24),
            segment: u64_at(bytes, 32),
            offset: u64_at(bytes, 40),
            bank: array_at(bytes, 48),
            timeline: u32_at(bytes, 56),
            before: array_at(bytes, 64),
            after: array_at(bytes, 96),
        })
    }

    /// Whether the header was written for this place.
    pub fn stands_at(&self, identity: &Identity, segment: u64, offset: u64) -> bool {
        self.segment == segment
            && self.offset == offset
            && self.bank == identity.short()
            && self.timeline == identity.timeline
    }

    /// Whether the frame goes on exactly where `head` ends.
    pub fn continues(&self, head: &Head) -> bool {
        self.first == head.sequence + 1 && self.before == head.hash
    }

    /// Bytes on disk, padding included.
    pub fn bytes(&self) -> u64 {
        whole_blocks(self.content() as u64)
    }

    /// Bytes of header and records, without the padding.
    pub fn content(&self) -> usize {
        FRAME_HEADER + self.slots as usize * SLOT
    }
}

/// Checks the records of a frame whose header was found good and goes on from `head`: checksums, sequences, counts and
/// chain. The head after it, or what is wrong at which sequence.
pub(crate) fn check_records(
    header: &FrameHeader,
    content: &[u8],
    head: Head,
) -> Result<Head, (u64, &'static str)> {
    let mut rest = &content[FRAME_HEADER..];
    let mut head = head;
    for _ in 0..header.records {
        let sequence = head.sequence + 1;
        let record = Record::at_start_of(rest).ok_or((sequence, "a record's envelope is damaged"))?;
        if record.sequence() != sequence {
            return Err((sequence, "a record has another sequence"));
        }
        if !record.checks() {
            return Err((sequence, "a record's checksum does not hold"));
        }
        head = head.next(record.hashed());
        rest = &rest[record.bytes().len()..];
    }
    if !rest.is_empty() {
        return Err((header.first, "the frame's length does not fit its records"));
    }
    if head.hash != header.after {
        return Err((head.sequence, "the hash chain does not hold"));
    }
    Ok(head)
}

/// The records of a frame that was checked.
pub(crate) fn records(content: &[u8]) -> impl Iterator<Item = (usize, Record<'_>)> {
    let mut at = FRAME_HEADER;
    std::iter::from_fn(move || {
        let record = Record::at_start_of(&content[at..])?;
        let place = at;
        at += record.bytes().len();
        Some((place, record))
    })
}
