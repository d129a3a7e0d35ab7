//! Payments: money that leaves the building, and money that comes in.
//!
//! ```text
//!  POST /payments ─► row (created) ─► fund ─► hand over ─► settle            each arrow: one act, one observation,
//!                                       │        │  ▲                        one durable transition
//!                                       │        ▼  │ enquire, growing intervals
//!                                       │      unknown ──► case
//!                                       └──► reverse ──► suspense + case
//! ```
//! No db tx spans the books and the bank database. A payment's row says what is to be done ([`saga::Saga::act`]); the
//! act is done; what came of it is noted by one db tx that moves the row from the version that was read. Killed in
//! between, the act is done again: the books know the step by its key (payment, step, attempt), the rail knows the
//! payment by its reference. Both answer as they did the first time.
//!
//! | module | noun |
//! |---|---|
//! | `saga` | the states and what an observation makes of them: pure, model-checked |
//! | `payment` | a payment, and its row |
//! | `transition` | one line of the timeline |
//! | `case` | what a person has to look at |
//! | `ledger_step` | a step as a command to the books |
//! | `order` | the wish for a payment, checked |
//! | `desk` | what people do: create, cancel, decide |
//! | `note` | an observation made durable |
//! | `driver` | does what is due |
//! | `busy` | one worker a payment |
//! | `pace` | when something is due again |
//! | `lease` | one driver at a time |
//! | `incoming` | money from the other side, told of or submitted |
//! | `answered` | what the other side gets to a question |
//! | `rail` | the way to another institution |
//! | `two_phase` | commits with another bankcore: both banks, or neither |
//! | `recovery` | what the books know and the bank database does not |
//! | `figures` | for metrics |

pub mod answered;
mod busy;
pub mod case;
pub mod desk;
pub mod driver;
pub mod figures;
pub mod incoming;
mod lease;
mod ledger_step;
mod note;
pub mod order;
mod pace;
pub mod payment;
pub mod rail;
mod recovery;
pub(crate) mod rows;
pub mod saga;
#[cfg(test)]
mod search;
#[cfg(test)]
mod table;
pub mod transition;
pub mod two_phase;

use std::collections::HashMap;
use std::sync::Arc;

use ledger::NameId;
use ledger::event::NameKind;
use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell};
use uuid::Uuid;

use crate::books::{Books, Unnamed};
use crate::database::{Actor, Database, DatabaseError};
use crate::sequencer::{Clock as _, Fault, SystemClock};
use busy::Busy;
pub use lease::Holder;
use rail::http::HttpRail;
use rail::settings::{self, RailSettings};
pub use recovery::Recovered;
pub(crate) use recovery::begins;

/// The principal of all payments' steps in the books. No API key can act for it.
pub const PRINCIPAL: &str = "internal:payments";

/// Why something about payments was not done, though nobody refused it.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The bank database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The books.
    #[error(transparent)]
    Books(#[from] Fault),
    /// The books cannot name us.
    #[error(transparent)]
    Unnamed(#[from] Unnamed),
    /// The system gives no randomness.
    #[error("the system gives no randomness ({0}); check /dev/urandom")]
    Randomness(getrandom::Error),
}

/// The payments of a bank.
pub struct Payments {
    books: Books,
    database: Database,
    /// Ways to rails, each with the settings that it was made of.
    ways: Mutex<HashMap<String, (RailSettings, Arc<HttpRail>)>>,
    /// Payments that somebody in this process is working on.
    busy: Busy,
    /// Something may be due earlier than was thought.
    wake: Notify,
    principal: OnceCell<NameId>,
}

impl Payments {
    /// Over the books and the bank database. Nothing is driven before [`Payments::drive`].
    #[must_use]
    pub fn new(books: Books, database: Database) -> Payments {
        Payments {
            books,
            database,
            ways: Mutex::default(),
            busy: Busy::default(),
            wake: Notify::new(),
            principal: OnceCell::new(),
        }
    }

    /// Our number in the books.
    async fn principal(&self) -> Result<NameId, Unnamed> {
        let known =
            self.principal.get_or_try_init(|| self.books.intern(NameKind::Principal, PRINCIPAL)).await?;
        Ok(*known)
    }

    /// The rail with this name, as it is configured now.
    ///
    /// # Errors
    /// The bank database.
    pub async fn rail(&self, name: &str) -> Result<Option<RailSettings>, DatabaseError> {
        settings::named(&self.database, name).await
    }

    /// All rails, by name.
    ///
    /// # Errors
    /// The bank database.
    pub async fn rails(&self) -> Result<Vec<RailSettings>, DatabaseError> {
        settings::all(&self.database).await
    }

    /// The way to a rail. Breaker and budget last as long as its settings.
    fn way(&self, rail: &RailSettings) -> Result<Arc<HttpRail>, String> {
        let mut ways = self.ways.lock();
        if let Some((made_of, way)) = ways.get(&rail.name)
            && made_of == rail
        {
            return Ok(Arc::clone(way));
        }
        let way = Arc::new(HttpRail::new(rail)?);
        ways.insert(rail.name.clone(), (rail.clone(), Arc::clone(&way)));
        Ok(way)
    }

    /// Who acts, when nobody in particular does.
    fn ourselves() -> Actor {
        Actor::new(PRINCIPAL, "bankcore")
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    SystemClock::new().wall()
}

/// A new UUIDv7.
fn new_id(now_us: i64) -> Result<Uuid, PaymentError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(PaymentError::Randomness)?;
    let millis = u64::try_from(now_us / 1_000).unwrap_or(0);
    Ok(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}
