//! Books in MySQL or MariaDB: the tables of the case study, written by this service and by stored procedures at
//! the same time.
//!
//! ```text
//!  batch ─► begin   take in the events of others · look up claims · lock accounts (sorted) · lock the head
//!           decide  against the state in memory, which now stands exactly at the head
//!           settle  a few packets of inserts and updates · COMMIT
//! ```
//! `events` is the truth and holds the same bytes as the journal. The state in memory is the fold of it; every
//! batch begins by folding what others wrote, so several services and the procedures share one bank. Whoever
//! writes holds the row of `ledger_head`: the order of sequences is the order of commits. Locks are taken in one
//! order everywhere, accounts by id and the head last. See `migrations/mysql` and docs/adr.
//!
//! The other tables are what the events say, for the procedures and for people. Of those, the rows of balances
//! are looked at whenever they are locked (`balances`): one that was changed by hand freezes its account.
//!
//! A start folds the events after the newest snapshot (`snapshots`), which one service makes for all.
//!
//! A batch that the server would not take is taken back from the state and decided again (`failure`); one whose
//! COMMIT was never answered is looked for before anything else happens.

mod anew;
mod balances;
mod batch;
mod books;
mod breaks;
mod claims;
mod failure;
mod follow;
mod footprint;
mod hex;
pub(crate) mod import;
pub(crate) mod moment;
mod packet;
mod reading;
mod rights;
mod schema;
mod script;
mod session;
mod snapshots;
pub mod users;
mod writing;

use std::sync::Arc;

use ledger::State;

use crate::books::FactsTable;
use crate::sequencer;
use crate::store::{Store, Unsettled};

pub use breaks::{BalanceBreak, Breaks, Closed};
pub use failure::OpenError;
pub(crate) use failure::{Meaning, meaning, number, words};
pub use reading::Reading;
pub use schema::{Migration, migrate, prepare, status};
pub use script::script;
pub use session::{Server, Settings};
pub use snapshots::Snapshots;
pub use writing::Writing;

/// What both sides of the store know.
struct Shared {
    identity: journal::Identity,
    facts: FactsTable,
    head: tokio::sync::watch::Sender<journal::Head>,
    durable: tokio::sync::watch::Sender<u64>,
}

impl Shared {
    /// Of books that stand there, before any of it is told.
    fn of(identity: &journal::Identity, state: &State) -> Shared {
        Shared {
            identity: *identity,
            facts: FactsTable::of(state),
            head: tokio::sync::watch::Sender::new(journal::Head::start(identity)),
            durable: tokio::sync::watch::Sender::new(0),
        }
    }
}

/// Opened books.
pub struct Opened {
    /// For the rules thread.
    pub writing: Writing,
    /// For everyone else.
    pub reading: Arc<Reading>,
    /// The thread beside them; dropping it waits for it.
    pub background: Snapshots,
    /// The bank's id and timeline.
    pub identity: journal::Identity,
}

/// What books get that were never opened before.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The bank's id and timeline.
    pub identity: journal::Identity,
    /// What the bank calls itself; see [`ledger::rules::bank_name`].
    pub name: Box<str>,
    /// Now, microseconds since 1970.
    pub time: i64,
}

/// Opens the books behind a URL, and the bank if there is none yet.
///
/// Blocks: not for a thread that drives futures.
///
/// # Errors
/// [`OpenError`], each with its remedy.
pub fn open(settings: &Settings, fresh: &Fresh) -> Result<Opened, OpenError> {
    let (mut writing, identity) = Writing::open(settings, fresh.identity)?;
    while writing.next().0 == 1 {
        open_bank(&mut writing, identity, fresh)?;
    }
    let reading = Arc::new(Reading::open(settings, Arc::clone(writing.shared()))?);
    let background = Snapshots::start(settings, Arc::clone(writing.shared()))?;
    Ok(Opened { writing, reading, background, identity })
}

/// The first event, unless another service was quicker.
fn open_bank(writing: &mut Writing, identity: journal::Identity, fresh: &Fresh) -> Result<(), OpenError> {
    writing.begin(&[], Some(fresh.time))?;
    if writing.next().0 == 1 {
        sequencer::open_bank(writing, identity.bank, identity.timeline, &fresh.name, fresh.time)
            .map_err(OpenError::Name)?;
    }
    match writing.settle() {
        Ok(()) => writing.hand_over(Vec::new()),
        Err(Unsettled::Again) => {}
        Err(Unsettled::Fault(fault)) => return Err(fault.into()),
    }
    Ok(())
}
