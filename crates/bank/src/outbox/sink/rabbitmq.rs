//! Events to RabbitMQ: persistent messages to a durable topic exchange, one a publication, each confirmed.
//!
//! `mandatory`: a message that no queue wants comes back and counts as failed, or the broker would confirm it and
//! throw it away. The routing key is the kind of the event, so a queue bound to `posted` gets transactions only. The
//! connection is made when the first event goes out, and again after it broke.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Attempt, Outcome, Sink};
use crate::outbox::Broker;
use crate::outbox::message::Message;

/// Events that are published and not confirmed yet, at most.
const IN_FLIGHT: usize = 1_024;

/// How long the broker may take to accept the connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long the broker may take to confirm.
const CONFIRM_TIME: Duration = Duration::from_secs(30);

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// An exchange.
pub struct RabbitMq {
    place: Arc<Place>,
}

struct Place {
    broker: Broker,
    open: Mutex<Option<Arc<Open>>>,
}

struct Open {
    channel: Channel,
    // The channel ends with it.
    _connection: Connection,
}

impl RabbitMq {
    /// The exchange that the settings name.
    #[must_use]
    pub fn new(broker: Broker) -> RabbitMq {
        RabbitMq { place: Arc::new(Place { broker, open: Mutex::default() }) }
    }
}

impl Sink for RabbitMq {
    fn in_flight_max(&self) -> usize {
        IN_FLIGHT
    }

    fn deliver(&self, message: Arc<Message>) -> BoxFuture<'static, Attempt> {
        let place = Arc::clone(&self.place);
        async move {
            let began = Instant::now();
            let published = place.publish(&message).await;
            let (outcome, detail) = match published {
                Ok(()) => (Outcome::Delivered, String::new()),
                Err(why) => (Outcome::Failed(None), why),
            };
            Attempt { outcome, status: None, detail, took: began.elapsed() }
        }
        .boxed()
    }
}

impl Place {
    async fn publish(&self, message: &Message) -> Result<(), String> {
        let open = self.channel().await?;
        let published = timeout(CONFIRM_TIME, self.confirmed(&open.channel, message)).await;
        let confirmation = match published {
            Ok(Ok(confirmation)) => confirmation,
            Ok(Err(error)) => {
                self.close(&open).await;
                return Err(error.to_string());
            }
            Err(_) => {
                self.close(&open).await;
                return Err("no confirmation in time".to_owned());
            }
        };
        match confirmation {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                Err(format!("no queue takes it: {}", returned.reply_text))
            }
            Confirmation::Nack(None) => Err("the broker refused it".to_owned()),
            Confirmation::NotRequested => Err("the broker confirms nothing".to_owned()),
        }
    }

    async fn confirmed(&self, channel: &Channel, message: &Message) -> Result<Confirmation, lapin::Error> {
        let key = message.kind.split_once('.').map_or(&*message.kind, |(_, kind)| kind);
        let properties = BasicProperties::default()
            .with_message_id(message.id.as_str().into())
            .with_type(message.kind.as_str().into())
            .with_content_type("application/cloudevents+json".into())
            .with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let exchange = self.broker.place.as_str().into();
        channel.basic_publish(exchange, key.into(), options, &message.body, properties).await?.await
    }

    /// The channel, made if there is none. Who comes meanwhile waits for the same one.
    async fn channel(&self) -> Result<Arc<Open>, String> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| open.channel.status().connected()) {
            return Ok(Arc::clone(open));
        }
        let made = timeout(CONNECT_TIME, self.connect()).await;
        let made =
            made.map_err(|_| "no connection in time".to_owned())?.map_err(|error| error.to_string())?;
        let made = Arc::new(made);
        *open = Some(Arc::clone(&made));
        Ok(made)
    }

    async fn connect(&self) -> Result<Open, lapin::Error> {
        let connection =
            Connection::connect(self.broker.url.expose(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let exchange = self.broker.place.as_str().into();
        channel.exchange_declare(exchange, ExchangeKind::Topic, durable, FieldTable::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Open { channel, _connection: connection })
    }

    /// Lets a channel go that is of no use any more; the next event makes another.
    async fn close(&self, broken: &Arc<Open>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, broken)) {
            *open = None;
        }
    }
}
