//! Events to RabbitMQ: persistent messages to a durable topic exchange, each confirmed.
//!
//! `mandatory`: a message that no queue wants comes back and counts as failed, or the broker would confirm it and
//! throw it away. The routing key is the kind of the event, so a queue bound to `posted` gets transactions only. The
//! connection is made when the first event goes out, and again after it broke.
//!
//! A parcel has a channel for itself. The broker confirms many messages at once, and the client hands a message that
//! came back over with any one of those confirmations: only its id says which event it was, and only when everything
//! on the channel is confirmed has all come back that will.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Attempt, Capacity, Sink};
use crate::outbox::Broker;
use crate::outbox::message::Message;

/// One parcel is confirmed while the next one is made.
const CAPACITY: Capacity = Capacity { parcels: 2, events: 1_024 };

/// How long the broker may take to accept the connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the broker may take to confirm a parcel.
const CONFIRM_TIME: Duration = Duration::from_secs(30);

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// An exchange.
pub struct RabbitMq {
    place: Arc<Place>,
}

struct Place {
    broker: Broker,
    connection: Mutex<Option<Arc<Connection>>>,
    /// Channels on which everything is confirmed.
    idle: parking_lot::Mutex<Vec<Channel>>,
}

impl RabbitMq {
    /// The exchange that the settings name.
    #[must_use]
    pub fn new(broker: Broker) -> RabbitMq {
        let (connection, idle) = (Mutex::default(), parking_lot::Mutex::default());
        RabbitMq { place: Arc::new(Place { broker, connection, idle }) }
    }
}

impl Sink for RabbitMq {
    fn capacity(&self) -> Capacity {
        CAPACITY
    }

    fn deliver(&self, parcel: Vec<Arc<Message>>) -> BoxFuture<'static, Vec<Attempt>> {
        let place = Arc::clone(&self.place);
        async move {
            let began = Instant::now();
            let results = place.publish(&parcel).await;
            let took = began.elapsed();
            results.into_iter().map(|result| Attempt::of(result, took)).collect()
        }
        .boxed()
    }
}

impl Place {
    async fn publish(&self, parcel: &[Arc<Message>]) -> Vec<Result<(), String>> {
        let channel = match timeout(CONNECT_TIME, self.channel()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return vec![Err(error.to_string()); parcel.len()],
            Err(_) => return vec![Err("no connection in time".to_owned()); parcel.len()],
        };
        let until = Instant::now() + CONFIRM_TIME;
        let confirmed = parcel.iter().map(|message| timeout_at(until, self.confirmed(&channel, message)));
        let confirmed = join_all(confirmed).await;
        if confirmed.iter().any(Result::is_err) {
            // Who does not confirm in time may not do so later either; the next parcel connects again.
            *self.connection.lock().await = None;
        }
        let mut back = HashMap::new();
        for returned in confirmed.iter().flatten().flatten().filter_map(returned) {
            if let Some(id) = returned.properties.message_id() {
                back.insert(id.to_string(), returned.reply_text.to_string());
            }
        }
        if confirmed.iter().flatten().flatten().count() == parcel.len() {
            self.idle.lock().push(channel);
        }
        let mut results = Vec::with_capacity(parcel.len());
        for (message, confirmation) in parcel.iter().zip(confirmed) {
            results.push(match (confirmation, back.get(&message.id)) {
                (_, Some(why)) => Err(format!("no queue takes it: {why}")),
                (Ok(Ok(Confirmation::Ack(_))), None) => Ok(()),
                (Ok(Ok(Confirmation::Nack(_))), None) => Err("the broker refused it".to_owned()),
                (Ok(Ok(Confirmation::NotRequested)), None) => Err("the broker confirms nothing".to_owned()),
                (Ok(Err(error)), None) => Err(error.to_string()),
                (Err(_), None) => Err("no confirmation in time".to_owned()),
            });
        }
        results
    }

    async fn confirmed(&self, channel: &Channel, message: &Message) -> Result<Confirmation, lapin::Error> {
        let properties = BasicProperties::default()
            .with_message_id(message.id.as_str().into())
            .with_type(message.kind.as_str().into())
            .with_content_type("application/cloudevents+json".into())
            .with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = self.broker.place.as_str().into();
        let published =
            channel.basic_publish(exchange, message.topic().into(), options, &message.body, properties);
        published.await?.await
    }

    /// A channel on which nothing is under way.
    async fn channel(&self) -> Result<Channel, lapin::Error> {
        let connection = self.connection().await?;
        let idle = std::iter::from_fn(|| self.idle.lock().pop()).find(|channel| channel.status().connected());
        if let Some(channel) = idle {
            return Ok(channel);
        }
        let channel = connection.create_channel().await?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = self.broker.place.as_str().into();
        channel.exchange_declare(exchange, ExchangeKind::Topic, durable, FieldTable::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(channel)
    }

    /// The connection, made if there is none. Who comes meanwhile waits for the same one.
    async fn connection(&self) -> Result<Arc<Connection>, lapin::Error> {
        let mut kept = self.connection.lock().await;
        if let Some(connection) = kept.as_ref().filter(|connection| connection.status().connected()) {
            return Ok(Arc::clone(connection));
        }
        // What was opened on the one before is of no use any more.
        self.idle.lock().clear();
        let properties = ConnectionProperties::default();
        let made = Arc::new(Connection::connect(self.broker.url.expose(), properties).await?);
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// The message that came back with a confirmation, if one did.
fn returned(confirmation: &Confirmation) -> Option<&BasicReturnMessage> {
    match confirmation {
        Confirmation::Ack(returned) | Confirmation::Nack(returned) => returned.as_ref(),
        Confirmation::NotRequested => None,
    }
}
