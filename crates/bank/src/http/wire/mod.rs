//! JSON shapes. Amounts and ids are strings, times RFC 3339 UTC, dates ISO 8601.

mod account;
mod id;
mod text;
mod transaction;

pub use account::Account;
pub use id::{AccountIdText, SequenceText};
pub use text::{Amount, Clean, currency, date, money, parse_date, time};
pub use transaction::{EntryOut, Transaction};
