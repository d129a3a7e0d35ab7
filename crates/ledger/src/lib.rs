//! The rules of money, and nothing else.
//!
//! A [`Request`] says what somebody wants. [`rules::decide`] looks at a [`View`] of the books and answers
//! with one [`Event`] or a [`Refusal`]; it writes nothing. [`State::apply`] folds an event into the books
//! and cannot fail: it asserts. Replay calls `apply` only, so a rule that changes tomorrow cannot change
//! what happened yesterday.
//!
//! ```text
//!  Request ──► rules::decide(view, request, context) ──► Event ──► codec::encode ──► bytes of a record
//!                     │                                    │
//!                     └──► Refusal (a value)               └──► State::apply
//! ```
//!
//! Architecture invariant: this crate knows no file, clock, randomness, thread, SQL or HTTP. Time, identity
//! and order come in with the [`Context`] of a batch.

pub mod account;
pub mod codec;
pub mod command;
pub mod currency;
pub mod date;
pub mod digest;
pub mod entry;
pub mod event;
pub mod ids;
pub mod invariants;
pub mod late;
pub mod limits;
pub mod money;
pub mod refusal;
pub mod rules;
pub mod state;
pub mod totals;
pub mod undo;
pub mod view;

pub use account::{Account, AccountType, Side, Status};
pub use command::{Command, Note, Request};
pub use currency::Currency;
pub use date::Date;
pub use digest::Digest;
pub use entry::{Effect, Entry, Line};
pub use event::{Body, Event, HoldEnd, TransactionKind};
pub use ids::{AccountId, NameId, PrincipalId, Sequence};
pub use refusal::{Code, Refusal};
pub use rules::Context;
pub use state::State;
pub use undo::Undo;
pub use view::View;
