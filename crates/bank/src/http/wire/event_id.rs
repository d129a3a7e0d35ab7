//! The id of an event as the world outside sees it.

use std::fmt::Write as _;

use journal::Identity;
use ledger::Sequence;

/// Bank, timeline and sequence: no other event of any bank, and of no restored copy, has the same.
#[must_use]
pub fn event_id(identity: Identity, sequence: Sequence) -> String {
    let mut id = hex(&identity.bank);
    let _ = write!(id, "-{}-{sequence}", identity.timeline);
    id
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2 + 24);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}
