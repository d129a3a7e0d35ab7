//! The journal store: the books in memory, the journal as their only truth.
//!
//! ```text
//!  rules thread                              writer thread
//!  Writing: state · recent claims · frame ──► chain, checksum, one write, one sync ──► answers
//!                 ▲                                    │
//!                 └──── buffers come back ─────────────┤
//!                                                      ├─► watermark ─► Reading (history, streams)
//!  background: filer (key files) · snapshots ◄─────────┘
//! ```
//! A batch is decided against memory and handed over as one frame; the hand-over holds one frame, so the
//! rules thread is at most one batch ahead of the one that is on its way to the disk. There is no second
//! write: the journal is the database and the outbox.

mod background;
mod open;
mod reading;
mod replay;
mod snapshots;
mod writer;
mod writing;

pub use background::{Background, Chore};
pub use open::{OpenError, Opened, Settings, create, open};
pub use reading::Reading;
pub use writing::Writing;
