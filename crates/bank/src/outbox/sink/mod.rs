//! Where events go: one small trait, and one module for each kind of place.
//!
//! A sink is handed **parcels**: events that go out together and are answered together, each for itself. It says
//! that one is delivered only when the other side has it for good: a status of 2xx, a broker's confirmation, a synced
//! file. How often and when it is tried again is not its business.

pub mod file;
pub mod nats;
pub mod rabbitmq;
pub mod webhook;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::message::Message;

/// A kind of place that events go to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SinkKind {
    /// Somebody's HTTP endpoint.
    Webhook,
    /// An exchange of RabbitMQ.
    RabbitMq,
    /// A stream of NATS JetStream.
    Nats,
    /// A file of lines.
    File,
}

impl SinkKind {
    /// Every kind.
    pub const ALL: [SinkKind; 4] = [SinkKind::Webhook, SinkKind::RabbitMq, SinkKind::Nats, SinkKind::File];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SinkKind::Webhook => "webhook",
            SinkKind::RabbitMq => "rabbitmq",
            SinkKind::Nats => "nats",
            SinkKind::File => "file",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<SinkKind> {
        SinkKind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How much a place takes at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity {
    /// Parcels on their way, at most.
    pub parcels: usize,
    /// Events in each of them, at most.
    pub events: usize,
}

/// A place that takes events.
pub trait Sink: Send + Sync + 'static {
    /// How much may be on its way.
    fn capacity(&self) -> Capacity;

    /// Tries to deliver each of these once; an attempt for each, in their order.
    fn deliver(&self, parcel: Vec<Arc<Message>>) -> BoxFuture<'static, Vec<Attempt>>;
}

/// One try at one delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// What came of it.
    pub outcome: Outcome,
    /// The HTTP status, if it was answered with one.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there was none.
    pub detail: String,
    /// How long it took.
    pub took: Duration,
}

impl Attempt {
    /// Of an event that a broker or a file took, or why it did not.
    fn of(result: Result<(), String>, took: Duration) -> Attempt {
        let (outcome, detail) = match result {
            Ok(()) => (Outcome::Delivered, String::new()),
            Err(why) => (Outcome::Failed(None), why),
        };
        Attempt { outcome, status: None, detail, took }
    }
}

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The other side has it for good.
    Delivered,
    /// It does not, or nobody knows; it may say after how long it wants more.
    Failed(Option<Duration>),
    /// There will never be anybody there any more.
    Gone,
}
