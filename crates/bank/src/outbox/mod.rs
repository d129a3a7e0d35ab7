//! The outbox: events delivered at least once, in order per lane.
//!
//! ```text
//!  books (events, up to the durable sequence)
//!    └─► worker, one a subscription ─► lanes (pure) ─► sink: webhook, RabbitMQ, NATS, file
//!                 │                      retry (pure)
//!                 └─► progress: mark and parked events in the bank database
//! ```
//! The journal *is* the outbox: nothing is written beside an event when it happens, and a subscriber that is down
//! for a week reads on where it stopped. What is durable for each is a mark and the few events that it would not
//! take. A crash between a delivery and the next writing of the mark sends an event again; receivers know it by its
//! id. Order holds within a lane (a customer's account); a dead letter leaves its lane, and only comes again when
//! somebody has it replayed.
//!
//! Workers run on threads of their own, of low priority and at a bounded pace: a delivery may wait, a payment may not.
//!
//! | module | noun |
//! |---|---|
//! | `lanes` | which event may go out next |
//! | `retry` | when again, when never again, who is down |
//! | `stretch` | a piece of the books, read once for all |
//! | `view` | who may see what of an event |
//! | `message` | the event as it goes out |
//! | `sink` | where it goes |
//! | `subscription`, `rows` | who gets what, and where that is kept |
//! | `progress` | how far each is, durably |
//! | `worker`, `running`, `keeper` | one at work, all at work, those that should be |
//! | `pace` | how much of the machine all of them may take |
//! | `turn` | which of several services delivers |
//! | `webhooks`, `wish` | endpoints: made, changed, tried, removed; what may be wished for |
//! | `replay` | events sent again |

mod keeper;
pub mod lanes;
pub mod message;
mod notifier;
mod pace;
pub mod progress;
mod replay;
pub mod retry;
mod rows;
mod running;
pub mod seen;
pub mod sink;
mod stretch;
pub mod subscription;
pub mod template;
mod turn;
pub mod view;
mod webhooks;
pub mod wish;
mod worker;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use journal::Identity;
use ledger::{Event, Sequence};
use uuid::Uuid;

use crate::books::{Books, KeptNames};
use crate::database::{Database, DatabaseError};
use crate::sequencer::Fault;
use pace::Pace;
use progress::{DeadLetter, Tried};
use running::Running;
use seen::Now;
use sink::SinkKind;
use sink::webhook::address::{AllowList, NotAllowed};
use stretch::Stretches;
use subscription::Subscription;

pub use replay::{REPLAY_MAX, Replay};
pub use webhooks::{NewSecret, SUBSCRIPTIONS_MAX};
pub use wish::{Change, Wish};

/// Where events go by the operator's will, and where webhooks may go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Addresses that are not public and that webhooks may go to all the same.
    pub webhook_allow: AllowList,
    /// A file of events.
    pub file: Option<FileSettings>,
    /// A stream of NATS JetStream.
    pub nats: Option<Broker>,
    /// An exchange of RabbitMQ.
    pub rabbitmq: Option<Broker>,
    /// Where a sink of the operator begins that was not there before.
    pub begin: Begin,
}

/// A file of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSettings {
    /// Where it is.
    pub path: PathBuf,
    /// It is put aside when it has so many bytes.
    pub bytes_max: u64,
}

/// A broker, and the stream or exchange in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broker {
    /// Where it is.
    pub url: HiddenUrl,
    /// The stream or exchange.
    pub place: String,
}

/// A URL that may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct HiddenUrl(String);

impl HiddenUrl {
    /// Of this text.
    #[must_use]
    pub fn new(url: &str) -> HiddenUrl {
        HiddenUrl(url.to_owned())
    }

    /// The text, for connecting.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL without what stands before the `@`.
    #[must_use]
    pub fn shown(&self) -> String {
        match (self.0.split_once("://"), self.0.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => format!("{scheme}://{place}"),
            _ => self.0.clone(),
        }
    }
}

impl fmt::Debug for HiddenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Where a new subscription begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Begin {
    /// With the next event.
    #[default]
    Now,
    /// After this sequence; 0 is the first event.
    After(u64),
}

/// Why a command on the outbox was not done.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No such subscription.
    #[error("there is no such subscription; list them to see their ids")]
    NotFound,
    /// The wish contradicts itself.
    #[error("{0}")]
    Wish(String),
    /// Webhooks may not go there.
    #[error(transparent)]
    Address(#[from] NotAllowed),
    /// Too many already.
    #[error("there are {SUBSCRIPTIONS_MAX} subscriptions already; delete one that is not needed")]
    TooMany,
    /// The system gives no randomness, or no certificates to trust.
    #[error("the system gives no randomness or no certificates: {0}")]
    System(String),
    /// The books cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// What all workers share.
pub(crate) struct Shared {
    books: Books,
    database: Database,
    names: Arc<KeptNames>,
    identity: Identity,
    /// Where events come from, as CloudEvents say it.
    source: String,
    stretches: Stretches,
    pace: Pace,
}

impl Shared {
    /// What workers need of a bank.
    pub(crate) fn new(books: Books, database: Database, names: Arc<KeptNames>, identity: Identity) -> Shared {
        let (source, stretches) = (message::source(identity), Stretches::default());
        Shared { books, database, names, identity, source, stretches, pace: Pace::new() }
    }

    /// An event that is known to be there.
    async fn event(self: &Arc<Self>, sequence: u64) -> Result<Event, Fault> {
        let shared = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || shared.books.reads().event(Sequence(sequence)));
        let event = read.await.map_err(|_| Fault::Stopped)??;
        event.ok_or_else(|| Fault::Unreadable(format!("event {sequence} is parked but not there")))
    }
}

/// The outbox of a bank: who gets which events, and the work of it once it is started.
pub struct Outbox {
    shared: Arc<Shared>,
    settings: Settings,
    running: Running,
    one_at_a_time: tokio::sync::Mutex<()>,
}

/// A subscription and how it does.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The subscription.
    pub subscription: Subscription,
    /// How it does, if it is at work in this process.
    pub now: Option<Now>,
    /// Everything at or below it is delivered, parked, given up or not wanted.
    pub mark: u64,
    /// The newest event of the books.
    pub head: u64,
    /// The time of the oldest event that is not delivered, microseconds since 1970.
    pub oldest_us: Option<i64>,
    /// Events that wait for another try, or behind one that does.
    pub parked: u64,
    /// Events that were given up.
    pub dead_letters: u64,
}

impl Settings {
    /// The operator's own sinks, and where each leads.
    fn places(&self) -> Vec<(SinkKind, String)> {
        let file = self.file.iter().map(|file| (SinkKind::File, file.path.display().to_string()));
        let broker = |kind, broker: &Broker| (kind, format!("{} {}", broker.url.shown(), broker.place));
        let nats = self.nats.iter().map(|nats| broker(SinkKind::Nats, nats));
        let rabbitmq = self.rabbitmq.iter().map(|rabbitmq| broker(SinkKind::RabbitMq, rabbitmq));
        file.chain(nats).chain(rabbitmq).collect()
    }
}

impl Outbox {
    /// Over the books; nothing is delivered before [`Outbox::start`].
    pub(crate) fn new(shared: Shared, settings: Settings) -> Outbox {
        let one_at_a_time = tokio::sync::Mutex::default();
        Outbox { shared: Arc::new(shared), settings, running: Running::default(), one_at_a_time }
    }

    /// All subscriptions and how they do, oldest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(&self) -> Result<Vec<Standing>, OutboxError> {
        let mut list = Vec::new();
        for subscription in rows::all(&self.shared.database).await? {
            list.push(self.standing(subscription).await?);
        }
        Ok(list)
    }

    /// One subscription and how it does.
    ///
    /// # Errors
    /// [`OutboxError::NotFound`], or that the database cannot be read.
    pub async fn read(&self, id: Uuid) -> Result<Standing, OutboxError> {
        let subscription = rows::one(&self.shared.database, id).await?.ok_or(OutboxError::NotFound)?;
        self.standing(subscription).await
    }

    async fn standing(&self, subscription: Subscription) -> Result<Standing, OutboxError> {
        let database = &self.shared.database;
        let now = self.running.now(subscription.id);
        // What is written, and the mark before the parked: one that the worker has in mind may have passed events that
        // nobody counts as parked yet, and for a moment nothing at all would seem to be missing.
        let mark = progress::mark(database, subscription.id).await?.unwrap_or(subscription.begins_after);
        let (parked, dead_letters) = progress::counts(database, subscription.id).await?;
        let head = self.shared.books.reads().head().sequence.0;
        let mut oldest_us = now.as_ref().and_then(|now| now.oldest_us);
        if oldest_us.is_none() && mark < head {
            oldest_us = self.shared.event(mark + 1).await.ok().map(|event| event.time);
        }
        Ok(Standing { subscription, now, mark, head, oldest_us, parked, dead_letters })
    }

    /// Events delivered and attempts that failed since the start, over all that are at work.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        self.running.totals()
    }

    /// The part of all processors that deliveries may take now, up to 1: less while payments wait for a processor.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.shared.pace.share()
    }

    /// The newest attempts of a subscription, the newest first: all of the last ones since the start, and older
    /// ones that failed.
    ///
    /// # Errors
    /// As [`Outbox::read`].
    pub async fn deliveries(&self, id: Uuid, limit: usize) -> Result<Vec<Tried>, OutboxError> {
        rows::one(&self.shared.database, id).await?.ok_or(OutboxError::NotFound)?;
        let now = self.running.now(id).unwrap_or_default();
        let since = now.tried.front().map_or(i64::MAX, |tried| tried.at_us);
        let failed = progress::failed(&self.shared.database, id, limit).await?;
        let older = failed.into_iter().filter(|tried| tried.at_us < since);
        Ok(now.tried.into_iter().rev().chain(older).take(limit).collect())
    }

    /// Events that were given up, in order.
    ///
    /// # Errors
    /// As [`Outbox::read`].
    pub async fn dead_letters(
        &self,
        id: Uuid,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, OutboxError> {
        rows::one(&self.shared.database, id).await?.ok_or(OutboxError::NotFound)?;
        Ok(progress::dead_letters(&self.shared.database, id, after, limit).await?)
    }
}

impl Standing {
    /// Events that are not delivered: those above the mark, and those that are parked.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.head.saturating_sub(self.mark) + self.parked
    }

    /// How old the oldest event is that was not delivered; 0 if there is none.
    #[must_use]
    pub fn lag_seconds(&self, now_us: i64) -> f64 {
        self.oldest_us.map_or(0.0, |oldest| (now_us - oldest).max(0) as f64 / 1e6)
    }

    /// active, down, disabled, or stopped where this process does not deliver.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match (&self.subscription.disabled, &self.now) {
            (Some(_), _) => "disabled",
            (None, None) => "stopped",
            (None, Some(now)) if now.down_since_us.is_some() => "down",
            (None, Some(_)) => "active",
        }
    }

    /// Is it an endpoint that somebody registered?
    #[must_use]
    pub fn is_webhook(&self) -> bool {
        self.subscription.sink == SinkKind::Webhook
    }
}
