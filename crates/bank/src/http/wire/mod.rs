//! JSON shapes. Amounts and ids are strings, times RFC 3339 UTC, dates ISO 8601.

mod account;
mod account_entry;
mod event;
mod event_id;
mod hold;
mod id;
mod text;
mod transaction;
mod writer;

pub use account::Account;
pub use account_entry::AccountEntry;
pub use event::{EventOut, KINDS as EVENT_KINDS, kind as event_kind};
pub use event_id::{event_id, hex};
pub use hold::Hold;
pub use id::{AccountIdText, SequenceText, digits};
pub use text::{Amount, Clean, currency, date, money, parse_date, parse_time, time, value_date};
pub use transaction::{EntryOut, Transaction};
pub use writer::Writer;
