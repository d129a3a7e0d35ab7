//! The embedded engine: bytes in one order, durable before anyone is told.
//!
//! See `docs/journal-format.md` for the format. This crate must not know money: a record is an envelope
//! of sixteen bytes and what the caller put behind it.
