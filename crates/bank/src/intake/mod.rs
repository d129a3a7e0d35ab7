//! Queue in: transfers and payments that come as messages from NATS or RabbitMQ.
//!
//! ```text
//!  broker ─► message {"transfer": {…}} ─► the same endpoint that HTTP has ─► 2xx: acknowledged
//!     ▲          its id is the idempotency key                            ├► refused, malformed: dead letter with
//!     └─────────────── not now: stays, and comes again ◄──────────────────┘  the reason, then acknowledged
//! ```
//! A message is acknowledged only after the commit, so a crash in between has it come again; its id, under a principal
//! that no request can name, makes it count once. What can never be done goes to a dead-letter queue, confirmed
//! there before it is acknowledged here. There is one code path: a message is made a request to the router.

pub mod desk;
mod nats;
mod rabbitmq;

use std::time::Duration;

use axum::Router;
use tokio::task::JoinHandle;

use crate::outbox::Broker;
use desk::Desk;

/// Messages that are decided at a time, for each broker. They are independent: none waits for the one before it.
pub const AT_A_TIME: usize = 64;

/// After a broken connection, or when nothing can be decided.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest message.
pub const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Where messages come from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// A stream of NATS JetStream.
    pub nats: Option<Broker>,
    /// A queue of RabbitMQ.
    pub rabbitmq: Option<Broker>,
}

/// The readers of queues. Dropping it stops them; what they did not acknowledge comes again.
pub struct Intake {
    tasks: Vec<JoinHandle<()>>,
}

impl Intake {
    /// Reads the queues that the settings name; `router` decides what a message asks for.
    #[must_use]
    pub fn start(router: Router, settings: &Settings) -> Intake {
        let mut tasks = Vec::new();
        let desk = Desk::new(router);
        if let Some(broker) = &settings.nats {
            tasks.push(tokio::spawn(nats::run(broker.clone(), desk.clone())));
        }
        if let Some(broker) = &settings.rabbitmq {
            tasks.push(tokio::spawn(rabbitmq::run(broker.clone(), desk)));
        }
        Intake { tasks }
    }

    /// Stops, and waits until nothing is under way.
    pub async fn stop(mut self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
