//! What a benchmark needs at a broker: something that keeps every event, and a look at how many are in it. It is taken
//! away again afterwards.
//!
//! NATS needs nothing: the stream is made by the sink. RabbitMQ gives back what no queue wants, so there has to be one.

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream;
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use tokio::time::timeout;

use super::outbox::SinkChoice;

/// How long a broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where events are kept, under one name.
pub struct Kept {
    name: String,
    at: At,
}

enum At {
    Nats(jetstream::Context),
    // The channel ends with its connection.
    RabbitMq(Channel, Connection),
}

impl Kept {
    /// At the broker, if the sink is one.
    ///
    /// # Errors
    /// If the broker is not there.
    pub async fn make(sink: SinkChoice, url: Option<&str>, name: &str) -> anyhow::Result<Option<Kept>> {
        let url = || url.context("name the broker with --broker URL");
        let at = match sink {
            SinkChoice::Webhook | SinkChoice::File => return Ok(None),
            SinkChoice::Nats => At::Nats(jetstream::new(soon(async_nats::connect(url()?)).await?)),
            SinkChoice::Rabbitmq => soon(queue(url()?, name)).await?,
        };
        Ok(Some(Kept { name: name.to_owned(), at }))
    }

    /// How many events are there.
    ///
    /// # Errors
    /// If the broker does not say.
    pub async fn count(&self) -> anyhow::Result<u64> {
        match &self.at {
            At::Nats(context) => {
                let stream = soon(context.get_stream(&self.name)).await?;
                Ok(stream.cached_info().state.messages)
            }
            At::RabbitMq(channel, _) => {
                let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
                let asked = channel.queue_declare(self.name.as_str().into(), look, FieldTable::default());
                Ok(soon(asked).await?.message_count().into())
            }
        }
    }

    /// Takes it away.
    ///
    /// # Errors
    /// If the broker does not let it.
    pub async fn remove(self) -> anyhow::Result<()> {
        match self.at {
            At::Nats(context) => soon(context.delete_stream(&self.name)).await.map(drop),
            At::RabbitMq(channel, _connection) => {
                let name = || self.name.as_str().into();
                soon(channel.queue_delete(name(), QueueDeleteOptions::default())).await?;
                soon(channel.exchange_delete(name(), ExchangeDeleteOptions::default())).await
            }
        }
    }
}

/// A durable queue that everything in the exchange goes to.
async fn queue(url: &str, name: &str) -> Result<At, lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name.into(), ExchangeKind::Topic, durable, FieldTable::default()).await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), durable, FieldTable::default()).await?;
    let all = QueueBindOptions::default();
    channel.queue_bind(name.into(), name.into(), "#".into(), all, FieldTable::default()).await?;
    Ok(At::RabbitMq(channel, connection))
}

async fn soon<T, E>(asked: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let answer = timeout(PATIENCE, asked).await;
    answer.context("the broker does not answer")?.context("the broker does not take part")
}
