//! Events as bytes: one fixed encoding, version 1, that SQL can build too.
//!
//! ```text
//!  header (80) │ entries (44 each) │ rare fields (tag, encoding, key id, length, bytes) │ skip pointers │ 0 … CRC
//!  └──────────────────── covered by the chain ─────────────────────────────────────────┘
//! ```
//! All integers are big-endian. The record is a whole number of 64-byte slots; its last four bytes belong to
//! the journal. A transfer without texts takes three slots. `docs/event-format.md` is the same in tables.
//!
//! Skip pointers are derived from the links, so the chain leaves them out: a store without them builds the
//! same chain.

mod decode;
mod encode;
pub mod fingerprint;
pub mod state;

pub use decode::{DecodeError, claims_of, decode, first_record, reference_of};
pub use encode::encode;

/// Bytes of the fixed header.
pub const HEADER: usize = 80;
/// Bytes of an entry.
pub const ENTRY: usize = 44;
/// Bytes of a slot.
pub const SLOT: usize = 64;
/// Bytes at the end of the last slot that are the journal's.
pub const TRAILER: usize = 4;

/// Text in the clear. Other values name a cipher; then the key id says whose key.
const ENCODING_PLAIN: u8 = 0;

const FLAG_IN_GROUP: u16 = 1;

mod kind {
    pub(super) const BANK_OPENED: u8 = 1;
    pub(super) const NAMED: u8 = 2;
    pub(super) const ACCOUNT_OPENED: u8 = 3;
    pub(super) const ACCOUNT_CHANGED: u8 = 4;
    pub(super) const POSTED: u8 = 5;
    pub(super) const HOLD_PLACED: u8 = 6;
    pub(super) const HOLD_ENDED: u8 = 7;
    pub(super) const DAY_OPENED: u8 = 8;
    pub(super) const DAY_CLOSED: u8 = 9;
    pub(super) const REFUSED: u8 = 10;
    pub(super) const GROUP: u8 = 11;
}

mod tag {
    pub(super) const REFERENCE: u8 = 1;
    pub(super) const DESCRIPTION: u8 = 2;
    pub(super) const ON_BEHALF_OF: u8 = 3;
    pub(super) const APPROVER: u8 = 4;
    pub(super) const TRACE: u8 = 5;
    pub(super) const PAYMENT: u8 = 6;
    pub(super) const BANK: u8 = 16;
    pub(super) const NAME: u8 = 17;
    pub(super) const NUMBER: u8 = 18;
    pub(super) const OPENING: u8 = 19;
    pub(super) const STATUS: u8 = 20;
    pub(super) const LIMIT: u8 = 21;
    pub(super) const HOLD: u8 = 22;
    pub(super) const REVERSES: u8 = 23;
    pub(super) const EXPIRES: u8 = 24;
    pub(super) const DATE: u8 = 25;
    pub(super) const REFUSAL: u8 = 26;
    pub(super) const MEMBERS: u8 = 27;
    pub(super) const NAME_ID: u8 = 28;
}

#[cfg(test)]
mod tests;
