//! The service: what stands between a caller and the rules of money.
//!
//! ```text
//!  http ─► books ─► sequencer ─► ledger rules ─► store ─► answer
//! ```

pub mod books;
pub mod database;
pub mod http;
pub mod identity;
pub mod moving;
pub mod payments;
pub mod sequencer;
pub mod service;
pub mod store;
pub mod verify;
