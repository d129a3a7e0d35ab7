//! The embedded engine: bytes in one order, durable before anyone is told.
//!
//! See `docs/journal-format.md` for the format. This crate must not know money: a record is an envelope
//! of sixteen bytes and what the caller put behind it.
//!
//! The way of a batch: [`Batch::push`] → [`Appender::append`] (checksums, chain, one write, one sync) → the watermark →
//! [`Reader`]. The way of a start: [`Folder::open`] → [`Folder::recover`] → [`Journal`]. Beside the way: [`verify()`]
//! walks everything again, [`Snapshots`] shorten the replay.

mod appender;
mod batch;
mod chain;
pub mod disk;
mod error;
mod files;
mod folder;
mod frame;
mod identity;
mod index;
pub mod keys;
mod layout;
mod options;
mod reader;
mod record;
mod recover;
mod scan;
mod segment;
mod sidecar;
mod snapshot;
mod spares;
mod tail;
mod verify;
mod walk;
mod watermark;
mod window;

pub use appender::Appender;
pub use batch::Batch;
pub use chain::Head;
pub use error::{AppendError, Damage, Full, OpenError, ReadError};
pub use folder::Folder;
pub use identity::Identity;
pub use layout::{BLOCK, FORMAT, FRAME_HEADER, RECORD_BYTES_MAX, SLOT};
pub use options::Options;
pub use reader::{Reader, SegmentInfo};
pub use record::{OwnedRecord, Record};
pub use recover::{Cut, Journal, Recovery};
pub use scan::Scan;
pub use snapshot::{Snapshot, SnapshotError, Snapshots};
pub use spares::{Background, Capacity};
pub use verify::{Report, Sidecars, Tail, verify};
