//! Events to NATS JetStream, each acknowledged by the stream.
//!
//! `Nats-Msg-Id` is the event's id: what is sent again soon after is not kept twice. The subject is the stream's name in
//! small letters and the event's kind, so a consumer of `….posted` gets transactions only. A stream that is not there
//! is made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, Context, stream};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Attempt, Outcome, Sink};
use crate::outbox::Broker;
use crate::outbox::message::Message;

/// Events that are published and not acknowledged yet, at most.
const IN_FLIGHT: usize = 2_048;

/// How long the server may take to accept the connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the stream may take to acknowledge.
const ACK_TIME: Duration = Duration::from_secs(10);

/// A stream.
pub struct Nats {
    place: Arc<Place>,
}

struct Place {
    broker: Broker,
    open: Mutex<Option<Context>>,
}

impl Nats {
    /// The stream that the settings name.
    #[must_use]
    pub fn new(broker: Broker) -> Nats {
        Nats { place: Arc::new(Place { broker, open: Mutex::default() }) }
    }
}

/// How the subjects of a stream begin.
fn prefix(stream: &str) -> String {
    stream.to_lowercase()
}

impl Sink for Nats {
    fn in_flight_max(&self) -> usize {
        IN_FLIGHT
    }

    fn deliver(&self, message: Arc<Message>) -> BoxFuture<'static, Attempt> {
        let place = Arc::clone(&self.place);
        async move {
            let began = Instant::now();
            let (outcome, detail) = match timeout(ACK_TIME, place.publish(&message)).await {
                Ok(Ok(())) => (Outcome::Delivered, String::new()),
                Ok(Err(why)) => (Outcome::Failed(None), why),
                Err(_) => (Outcome::Failed(None), "no acknowledgement in time".to_owned()),
            };
            Attempt { outcome, status: None, detail, took: began.elapsed() }
        }
        .boxed()
    }
}

impl Place {
    async fn publish(&self, message: &Message) -> Result<(), String> {
        let context = self.context().await?;
        let kind = message.kind.split_once('.').map_or(&*message.kind, |(_, kind)| kind);
        let subject = format!("{}.{kind}", prefix(&self.broker.place));
        let publish = jetstream::message::PublishMessage::build()
            .message_id(&message.id)
            .header("content-type", "application/cloudevents+json")
            .payload(message.body.clone());
        let sent = context.send_publish(subject, publish).await.map_err(|error| error.to_string())?;
        sent.await.map(drop).map_err(|error| error.to_string())
    }

    /// The way to the stream, made if there is none. The client connects again by itself.
    async fn context(&self) -> Result<Context, String> {
        let mut open = self.open.lock().await;
        if let Some(context) = &*open {
            return Ok(context.clone());
        }
        let made = timeout(CONNECT_TIME, self.connect()).await;
        let context = made.map_err(|_| "no connection in time".to_owned())??;
        *open = Some(context.clone());
        Ok(context)
    }

    async fn connect(&self) -> Result<Context, String> {
        let client =
            async_nats::connect(self.broker.url.expose()).await.map_err(|error| error.to_string())?;
        let context = jetstream::new(client);
        let wanted = stream::Config {
            name: self.broker.place.clone(),
            subjects: vec![format!("{}.>", prefix(&self.broker.place))],
            ..stream::Config::default()
        };
        context.get_or_create_stream(wanted).await.map_err(|error| error.to_string())?;
        Ok(context)
    }
}
