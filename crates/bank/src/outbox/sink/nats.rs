//! Events to NATS JetStream, each acknowledged by the stream.
//!
//! `Nats-Msg-Id` is the event's id: what is sent again soon after is not kept twice. The subject is the stream's name in
//! small letters and the event's kind, so a consumer of `….posted` gets transactions only. A stream that is not there
//! is made.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, stream};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Attempt, Capacity, Sink};
use crate::outbox::Broker;
use crate::outbox::message::Message;

/// A parcel is published as a whole before its acknowledgements are looked at, while others are under way.
const CAPACITY: Capacity = Capacity { parcels: 4, events: 512 };

/// How long the server may take to accept the connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the stream may take to acknowledge a parcel.
const ACK_TIME: Duration = Duration::from_secs(10);

/// A stream.
pub struct Nats {
    place: Arc<Place>,
}

struct Place {
    broker: Broker,
    /// How the subjects of the stream begin.
    prefix: String,
    open: Mutex<Option<Context>>,
}

impl Nats {
    /// The stream that the settings name.
    #[must_use]
    pub fn new(broker: Broker) -> Nats {
        let prefix = broker.place.to_lowercase();
        Nats { place: Arc::new(Place { broker, prefix, open: Mutex::default() }) }
    }
}

impl Sink for Nats {
    fn capacity(&self) -> Capacity {
        CAPACITY
    }

    fn deliver(&self, parcel: Vec<Arc<Message>>) -> BoxFuture<'static, Vec<Attempt>> {
        let place = Arc::clone(&self.place);
        async move {
            let began = Instant::now();
            let results = place.publish(&parcel, began + ACK_TIME).await;
            let took = began.elapsed();
            results.into_iter().map(|result| Attempt::of(result, took)).collect()
        }
        .boxed()
    }
}

impl Place {
    async fn publish(&self, parcel: &[Arc<Message>], until: Instant) -> Vec<Result<(), String>> {
        let late = || "no acknowledgement in time".to_owned();
        let context = match timeout_at(until, self.context()).await.map_err(|_| late()).flatten() {
            Ok(context) => context,
            Err(why) => return vec![Err(why); parcel.len()],
        };
        let mut sent = Vec::with_capacity(parcel.len());
        for message in parcel {
            let sending = timeout_at(until, self.send(&context, message)).await;
            sent.push(sending.map_err(|_| late()).flatten());
        }
        let mut results = Vec::with_capacity(parcel.len());
        for acknowledgement in sent {
            results.push(match acknowledgement {
                Ok(acknowledgement) => match timeout_at(until, acknowledgement).await {
                    Ok(acknowledged) => acknowledged.map(drop).map_err(|error| error.to_string()),
                    Err(_) => Err(late()),
                },
                Err(why) => Err(why),
            });
        }
        results
    }

    async fn send(&self, context: &Context, message: &Message) -> Result<PublishAckFuture, String> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, message.id.as_str());
        headers.insert("content-type", "application/cloudevents+json");
        let publish = PublishMessage::build().headers(headers).payload(message.body.clone());
        let sent = context.send_publish(format!("{}.{}", self.prefix, message.topic()), publish).await;
        sent.map_err(|error| error.to_string())
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
            subjects: vec![format!("{}.>", self.prefix)],
            ..stream::Config::default()
        };
        context.get_or_create_stream(wanted).await.map_err(|error| error.to_string())?;
        Ok(context)
    }
}
