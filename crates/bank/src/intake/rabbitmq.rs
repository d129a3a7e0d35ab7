//! Messages from a queue of RabbitMQ; dead letters to the queue of the same name with `.dead` behind it.

use std::sync::Arc;

use futures::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use super::desk::{Desk, Verdict};
use super::{AT_A_TIME, PAUSE};
use crate::outbox::Broker;

/// Survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Reads for ever; connects again after the connection broke.
pub(super) async fn run(broker: Broker, desk: Desk) {
    loop {
        let ended = read(&broker, &desk).await;
        let why = ended.err().map_or_else(|| "the queue ended".to_owned(), |error| error.to_string());
        tracing::warn!(queue = broker.place, why, "messages cannot be read; it is tried again");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(broker: &Broker, desk: &Desk) -> Result<(), lapin::Error> {
    let connection = Connection::connect(broker.url.expose(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let queues = Arc::new(Queues { channel: channel.clone(), queue: broker.place.clone() });
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    for name in [queues.queue.clone(), queues.dead()] {
        channel.queue_declare(name.as_str().into(), durable, FieldTable::default()).await?;
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let most = u16::try_from(AT_A_TIME).unwrap_or(u16::MAX);
    channel.basic_qos(most, BasicQosOptions::default()).await?;
    let consumer = channel
        .basic_consume(
            queues.queue.as_str().into(),
            "bankcore".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let each = consumer.map(|delivery| {
        let queues = Arc::clone(&queues);
        async move { queues.settle(desk, delivery?).await }
    });
    let mut each = each.buffer_unordered(AT_A_TIME);
    while let Some(settled) = each.next().await {
        settled?;
    }
    Ok(())
}

struct Queues {
    channel: Channel,
    queue: String,
}

impl Queues {
    fn dead(&self) -> String {
        format!("{}.dead", self.queue)
    }

    async fn settle(&self, desk: &Desk, delivery: Delivery) -> Result<(), lapin::Error> {
        let id = delivery.properties.message_id().as_ref().map(|id| id.as_str().to_owned());
        match desk.decide(id.as_deref(), &delivery.data).await {
            Verdict::Done => {}
            Verdict::Dead { code, detail } => {
                if !self.bury(&delivery, &code, &detail).await? {
                    return self.again(&delivery, "the dead letter was not taken").await;
                }
            }
            Verdict::Later(why) => return self.again(&delivery, &why).await,
        }
        delivery.ack(BasicAckOptions::default()).await.map(drop)
    }

    /// Puts a message among the dead letters; true once the broker has it for good.
    async fn bury(&self, delivery: &Delivery, code: &str, detail: &str) -> Result<bool, lapin::Error> {
        let mut headers = delivery.properties.headers().clone().unwrap_or_default();
        for (name, value) in [("bankcore-code", code), ("bankcore-detail", detail)] {
            headers.insert(name.into(), AMQPValue::LongString(LongString::from(value)));
        }
        let properties: BasicProperties =
            delivery.properties.clone().with_headers(headers).with_delivery_mode(PERSISTENT);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let dead = self.dead();
        let published =
            self.channel.basic_publish("".into(), dead.as_str().into(), options, &delivery.data, properties);
        let confirmation = published.await?.await?;
        Ok(matches!(confirmation, Confirmation::Ack(None)))
    }

    /// Lets it come again, in a moment: at once it would only meet the same.
    async fn again(&self, delivery: &Delivery, why: &str) -> Result<(), lapin::Error> {
        tracing::warn!(queue = self.queue, why, "a message is not decided now; it comes again");
        tokio::time::sleep(PAUSE).await;
        let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        delivery.nack(requeue).await.map(drop)
    }
}
