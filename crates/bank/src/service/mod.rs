//! The running bank: books, bank database, keys and the threads behind them, opened and closed as one.
//!
//! ```text
//!  data folder ─► journal store ─► rules thread ─► Books      or   MySQL ─► mysql store ─► rules thread ─► Books
//!            └──► bank.db ───────────────────────► KeyStore             └─► tables beside it ───────────► KeyStore
//! ```
//! Everything that a front end (HTTP, command line, benchmark) needs is reached from [`Service`].

mod anchor;
mod arrival;
mod calendar;
mod open;

use std::sync::Arc;
use std::thread::JoinHandle;

use journal::Recovery;
use journal::keys::Discarded;
use ledger::NameId;
use ledger::event::NameKind;

use crate::books::{Books, KeptNames, Unnamed};
use crate::database::Database;
use crate::identity::{Credential, KeyStore, Quota};
use crate::outbox::Outbox;
use crate::payments::{Holder, Payments};
use crate::store::{journal as embedded, mysql};

pub(crate) use anchor::anchor;
pub use open::{Error, Settings, create, is_bank, is_of_database, open, open_database};

/// Who opens and closes business days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BusinessDays {
    /// The calendar: at midnight UTC the open day is closed and the next one opened. A day that an operator
    /// closed stays closed until the date changes.
    #[default]
    Calendar,
    /// An operator.
    Manual,
}

/// The threads beside the rules; they are waited for when this is dropped.
#[allow(dead_code, reason = "held for what dropping it does")]
enum Beside {
    Journal(embedded::Background),
    Database(mysql::Snapshots),
}

/// A running bank.
pub struct Service {
    /// The way to the books.
    pub books: Books,
    /// Names that events carry.
    pub names: Arc<KeptNames>,
    /// API keys.
    pub keys: Arc<KeyStore>,
    /// Deliveries of events, once they are started.
    pub outbox: Arc<Outbox>,
    /// The bank database.
    pub database: Database,
    /// Payments to and from other institutions. Somebody has to drive them: [`Payments::drive`].
    pub payments: Arc<Payments>,
    /// Who this service is among those that share the books, if any may.
    pub holder: Option<Holder>,
    /// Requests that principals may make.
    pub quota: Arc<Quota>,
    /// The bank's id and timeline.
    pub identity: journal::Identity,
    /// What the bank calls itself.
    pub name: Box<str>,
    /// What opening found, where the books are in the folder.
    pub recovery: Option<Recovery>,
    /// Key files that were thrown away and are being made again.
    pub discarded: Vec<Discarded>,
    calendar: Option<tokio::task::JoinHandle<()>>,
    rules: Option<JoinHandle<()>>,
    background: Option<Beside>,
    _lock: Option<std::fs::File>,
}

impl Service {
    /// The ledger's number of the principal that a credential acts for; given on first use.
    ///
    /// # Errors
    /// [`Unnamed`]: the books cannot answer.
    pub async fn principal(&self, credential: &Credential) -> Result<NameId, Unnamed> {
        if let Some(id) = credential.principal_id() {
            return Ok(NameId(id));
        }
        let id = self.books.intern(NameKind::Principal, &credential.principal).await?;
        credential.set_principal_id(id.0);
        Ok(id)
    }

    /// Stops deciding, waits until everything decided is durable and confirmed, and closes the files. Requests
    /// that are still waiting are answered with [`Fault::Stopped`](crate::sequencer::Fault::Stopped).
    pub async fn close(mut self) {
        if let Some(calendar) = self.calendar.take() {
            calendar.abort();
        }
        self.outbox.close().await;
        self.books.stop();
        let threads = (self.rules.take(), self.background.take());
        // Joining blocks; the runtime's own threads must stay free for those who wait for answers.
        let joined = tokio::task::spawn_blocking(move || {
            let (rules, background) = threads;
            if let Some(rules) = rules {
                let _ = rules.join();
            }
            drop(background);
        });
        let _ = joined.await;
        self.database.clone().close().await;
    }
}

/// A service that is let go without [`Service::close`] stops all the same: its threads wait for each other, and
/// whoever drops it would wait with them for ever. What was answered is durable already.
impl Drop for Service {
    fn drop(&mut self) {
        self.outbox.let_go();
        if let Some(calendar) = self.calendar.take() {
            calendar.abort();
        }
        if self.rules.take().is_some() {
            self.books.stop();
        }
    }
}
