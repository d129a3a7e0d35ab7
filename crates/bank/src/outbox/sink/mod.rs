//! Where events go: one small trait, and one module for each kind of place.
//!
//! A sink answers for one event at a time and only when the other side has it for good: a status of 2xx, a
//! broker's confirmation, a synced file. How often and when it is tried again is not its business.

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

/// A place that takes events.
pub trait Sink: Send + Sync + 'static {
    /// How many events may be on their way at a time.
    fn in_flight_max(&self) -> usize;

    /// Tries to deliver one event, once.
    fn deliver(&self, message: Arc<Message>) -> BoxFuture<'static, Attempt>;
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
