//! One record: the envelope the journal understands, around bytes it does not.

use crate::layout::{SLOT, u16_at, u32_at, u64_at};

/// The envelope's length: no record's hashed part is shorter.
pub(crate) const ENVELOPE: usize = 16;

/// A view of one whole record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    bytes: &'a [u8],
}

/// A record with its own copy of the bytes, as a reader hands it out.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    bytes: Box<[u8]>,
}

impl<'a> Record<'a> {
    /// The record at the beginning of `bytes`, if its envelope makes sense there: the slot count leads to an end within
    /// `bytes`, and the hashed part lies between the envelope and the checksum. Does not look at the checksum.
    pub(crate) fn at_start_of(bytes: &'a [u8]) -> Option<Record<'a>> {
        let length = usize::from(*bytes.get(2)?) * SLOT;
        if length == 0 || length > bytes.len() {
            return None;
        }
        let hashed = usize::from(u16_at(bytes, 4));
        if hashed < ENVELOPE || hashed > length - 4 {
            return None;
        }
        Some(Record { bytes: &bytes[..length] })
    }

    /// The kind of event, opaque here.
    pub fn kind(&self) -> u8 {
        self.bytes[0]
    }

    /// The variant of the kind, opaque here.
    pub fn variant(&self) -> u8 {
        self.bytes[1]
    }

    /// The record's length in slots of 64 bytes.
    pub fn slots(&self) -> u8 {
        self.bytes[2]
    }

    /// The number of entries, opaque here.
    pub fn entries(&self) -> u8 {
        self.bytes[3]
    }

    /// The flags, opaque here.
    pub fn flags(&self) -> u16 {
        u16_at(self.bytes, 6)
    }

    /// The record's place in the one order, from 1, without gaps.
    pub fn sequence(&self) -> u64 {
        u64_at(self.bytes, 8)
    }

    /// The bytes that the chain covers.
    pub fn hashed(&self) -> &'a [u8] {
        &self.bytes[..usize::from(u16_at(self.bytes, 4))]
    }

    /// The whole record, with derived bytes and checksum.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether the record's own checksum holds.
    pub(crate) fn checks(&self) -> bool {
        let body = self.bytes.len() - 4;
        crc32c::crc32c(&self.bytes[..body]) == u32_at(self.bytes, body)
    }

    /// A copy that outlives the buffer.
    pub fn to_owned(&self) -> OwnedRecord {
        OwnedRecord { bytes: self.bytes.into() }
    }
}

impl OwnedRecord {
    /// The view.
    pub fn as_record(&self) -> Record<'_> {
        Record { bytes: &self.bytes }
    }

    /// The whole record, with derived bytes and checksum.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The record's sequence.
    pub fn sequence(&self) -> u64 {
        self.as_record().sequence()
    }
}

impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} kind {} {} bytes)", self.sequence(), self.kind(), self.bytes.len())
    }
}

impl std::fmt::Debug for OwnedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_record().fmt(f)
    }
}
