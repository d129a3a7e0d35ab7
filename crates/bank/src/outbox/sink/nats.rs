//! Events to NATS JetStream, each known to be in the stream before it counts as delivered.
//!
//! `Nats-Msg-Id` is the event's id: what is sent again soon after is not kept twice. The subject is the stream's name in
//! small letters and the event's kind, so a consumer of `….posted` gets transactions only. A stream that is not there
//! is made.
//!
//! To ask for an acknowledgement of each costs more than to publish it. So a parcel goes as a *chain*: each of its
//! events names the one before it (`Nats-Expected-Last-Msg-Id`), and the stream takes it only right behind that one.
//! Two acknowledgements then speak for all: if the first and the last are new, and as far apart in the stream as in the
//! parcel, then all are there. Whatever breaks the chain (somebody else publishes, an event comes again, one is
//! refused) has the parcel sent once more with an acknowledgement for each; ids keep that from counting twice.

use std::sync::Arc;
use std::time::Duration;

use async_nats::header::{NATS_EXPECTED_LAST_MESSAGE_ID, NATS_MESSAGE_ID};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, stream};
use async_nats::{Client, HeaderMap};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Attempt, Capacity, Sink};
use crate::outbox::Broker;
use crate::outbox::message::Message;

/// A parcel is published as a whole before anything is waited for, while others are under way.
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
    open: Mutex<Option<Open>>,
    /// Parcels are published one after the other, or they would break each other's chains.
    publishing: Mutex<()>,
}

#[derive(Clone)]
struct Open {
    client: Client,
    context: Context,
}

impl Nats {
    /// The stream that the settings name.
    #[must_use]
    pub fn new(broker: Broker) -> Nats {
        let prefix = broker.place.to_lowercase();
        let place = Place { broker, prefix, open: Mutex::default(), publishing: Mutex::default() };
        Nats { place: Arc::new(place) }
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
        let open = match timeout_at(until, self.open()).await.map_err(|_| late()).flatten() {
            Ok(open) => open,
            Err(why) => return vec![Err(why); parcel.len()],
        };
        match timeout_at(until, self.chain(&open, parcel)).await {
            Ok(true) => vec![Ok(()); parcel.len()],
            Ok(false) => self.each(&open, parcel, until).await,
            Err(_) => vec![Err(late()); parcel.len()],
        }
    }

    /// Publishes a parcel as a chain; whether all of it is in the stream. False says nothing about any of it.
    async fn chain(&self, open: &Open, parcel: &[Arc<Message>]) -> bool {
        let [first, between @ .., last] = parcel else { return false };
        let publish = async {
            let _alone = self.publishing.lock().await;
            let begin = self.send(open, first, headers(first)).await?;
            let mut before = first;
            for message in between {
                let sent = open.client.publish_with_headers(
                    self.subject(message),
                    behind(before, message),
                    message.body.clone(),
                );
                sent.await.map_err(|error| error.to_string())?;
                before = message;
            }
            Ok::<_, String>((begin, self.send(open, last, behind(before, last)).await?))
        };
        let Ok((begin, end)) = publish.await else { return false };
        let (Ok(begin), Ok(end)) = (begin.await, end.await) else { return false };
        let apart = parcel.len() as u64 - 1;
        !begin.duplicate && !end.duplicate && end.sequence.checked_sub(begin.sequence) == Some(apart)
    }

    /// Publishes a parcel with an acknowledgement for each.
    async fn each(&self, open: &Open, parcel: &[Arc<Message>], until: Instant) -> Vec<Result<(), String>> {
        let mut sent = Vec::with_capacity(parcel.len());
        {
            let _alone = self.publishing.lock().await;
            for message in parcel {
                let sending = timeout_at(until, self.send(open, message, headers(message))).await;
                sent.push(sending.map_err(|_| late()).flatten());
            }
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

    /// Publishes one that is to be acknowledged.
    async fn send(
        &self,
        open: &Open,
        message: &Message,
        headers: HeaderMap,
    ) -> Result<PublishAckFuture, String> {
        let publish = PublishMessage::build().headers(headers).payload(message.body.clone());
        let sent = open.context.send_publish(self.subject(message), publish).await;
        sent.map_err(|error| error.to_string())
    }

    fn subject(&self, message: &Message) -> String {
        format!("{}.{}", self.prefix, message.topic())
    }

    /// The way to the stream, made if there is none. The client connects again by itself.
    async fn open(&self) -> Result<Open, String> {
        let mut open = self.open.lock().await;
        if let Some(open) = &*open {
            return Ok(open.clone());
        }
        let made = timeout(CONNECT_TIME, self.connect()).await;
        let made = made.map_err(|_| "no connection in time".to_owned())??;
        *open = Some(made.clone());
        Ok(made)
    }

    async fn connect(&self) -> Result<Open, String> {
        let client =
            async_nats::connect(self.broker.url.expose()).await.map_err(|error| error.to_string())?;
        let context = jetstream::new(client.clone());
        let wanted = stream::Config {
            name: self.broker.place.clone(),
            subjects: vec![format!("{}.>", self.prefix)],
            ..stream::Config::default()
        };
        context.get_or_create_stream(wanted).await.map_err(|error| error.to_string())?;
        Ok(Open { client, context })
    }
}

fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, message.id.as_str());
    headers.insert("content-type", "application/cloudevents+json");
    headers
}

/// For one that is taken only right behind another.
fn behind(before: &Message, message: &Message) -> HeaderMap {
    let mut headers = headers(message);
    headers.insert(NATS_EXPECTED_LAST_MESSAGE_ID, before.id.as_str());
    headers
}

fn late() -> String {
    "no acknowledgement in time".to_owned()
}
