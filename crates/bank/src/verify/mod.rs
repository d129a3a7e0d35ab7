//! The proof: everything in a data folder walked again, read-only, from the first byte to the newest event.
//!
//! ```text
//!  segments ─► journal::verify (headers, checksums, sequence, chain) ─► record ─► event ─► own fold
//!                                                                                   │
//!  key files ──► the same claims as the journal, each once ◄──────────────────────────────┤
//!  snapshots ──► the same bytes as this fold at their sequence ◄────────────────────┤
//!  originals ──► reversals take back no more than there was ◄───────────────────────┘
//!  sidecars ───► the same index as this walk makes
//!  bank.db ────► SQLite's own check, schema and triggers, the chain of audit records ◄── business days name hashes of it
//!           └──► a row for each payment that the books have begun
//! ```
//! A start trusts snapshots, sidecars and key files as far as their checksums go; this trusts none of them.
//! The fold in [`books`] shares no code with the ledger's own: the same mistake would have to be made twice.
//!
//! Books in a database: see `tables`.
//!
//! It may run on a folder in use: it then stops where the journal ended when it got there.
//!
//! Architecture invariant: nothing here can write. The journal is read through [`LookOnly`], whose writing
//! calls do nothing or fail; the bank database is opened read-only.

mod audit;
mod books;
mod claims;
mod database;
mod findings;
mod look;
mod payments;
pub mod places;
mod report;
mod reversals;
mod snapshots;
mod tables;
#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;

use crate::sequencer::{Clock, SystemClock};

pub use look::LookOnly;
pub use report::{Check, Damage, Report};
pub use tables::verify_database;

/// Told how far the walk is: bytes done and bytes in all, of a database events.
pub type Progress = Box<dyn FnMut(u64, u64) + Send>;

/// Verifies the data folder `dir`. What is wrong is in the report.
///
/// # Errors
/// What kept it from looking at all: no bank, another format, a disk that refuses.
pub async fn verify(dir: &Path, mut progress: Progress) -> Result<Report, journal::OpenError> {
    let mut clock = SystemClock::new();
    let folder = dir.to_path_buf();
    let walked = tokio::task::spawn_blocking(move || walk::walk(&folder, &mut *progress)).await;
    let (mut report, anchors, begun) = match walked {
        Ok(walked) => walked?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    report.add(database::check(dir, report.identity.bank, &anchors).await);
    report.add(begun.check(dir).await);
    report.seconds = clock.monotonic() as f64 / 1e6;
    Ok(report)
}
