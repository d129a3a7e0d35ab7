//! RabbitMQ.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bank::outbox::{Begin, Broker, HiddenUrl, Settings};
use lapin::options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use ledger::event::NameKind;
use serde_json::Value;
use sim::broker::RabbitMq;

use crate::bank::{Bank, check};

const EXCHANGE: &str = "bank.events";
const QUEUE: &str = "all";

fn settings(server: &RabbitMq) -> Settings {
    let rabbitmq = Some(Broker { url: HiddenUrl::new(&server.url()), place: EXCHANGE.into() });
    Settings { rabbitmq, begin: Begin::After(0), ..Settings::default() }
}

async fn channel(server: &RabbitMq) -> (Connection, Channel) {
    let connection = Connection::connect(&server.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// A durable queue for these kinds, as a consumer would make it.
async fn bind(server: &RabbitMq, kinds: &str) {
    let (_connection, channel) = channel(server).await;
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel
        .exchange_declare(EXCHANGE.into(), ExchangeKind::Topic, durable, FieldTable::default())
        .await
        .unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(QUEUE.into(), durable, FieldTable::default()).await.unwrap();
    let options = QueueBindOptions::default();
    channel
        .queue_bind(QUEUE.into(), EXCHANGE.into(), kinds.into(), options, FieldTable::default())
        .await
        .unwrap();
}

/// Everything that is in the queue, in its order.
async fn all(server: &RabbitMq) -> Vec<Value> {
    let (_connection, channel) = channel(server).await;
    let mut got = Vec::new();
    while let Some(message) = channel.basic_get(QUEUE.into(), BasicGetOptions { no_ack: true }).await.unwrap()
    {
        assert!(message.properties.message_id().is_some());
        got.push(serde_json::from_slice(&message.data).unwrap());
    }
    got
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_under_load_loses_nothing_and_reorders_nothing() {
    let server = RabbitMq::start();
    bind(&server, "#").await;
    let mut bank = Bank::start(settings(&server)).await;
    for _ in 0..2 {
        bank.pay(300).await;
        server.kill();
        bank.pay(200).await;
        server.run();
        // As consumers do whenever they connect: once a broker that was killed just after its start came back without
        // the way to the queue, and until there is one no event is taken.
        bind(&server, "#").await;
    }
    let head = bank.pay(100).await;
    bank.delivered().await;
    check(&all(&server).await, head);
    bank.service.outbox.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_queue_wants_is_not_delivered_but_parked_until_one_does() {
    let server = RabbitMq::start();
    let mut bank = Bank::start(settings(&server)).await;
    let head = bank.pay(20).await;
    let began = Instant::now();
    loop {
        let standing = bank.service.outbox.list().await.unwrap().remove(0);
        if standing.parked > 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{standing:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let id = bank.service.outbox.list().await.unwrap().remove(0).subscription.id;
    let tried = bank.service.outbox.deliveries(id, 1).await.unwrap().remove(0);
    assert!(tried.result.detail.starts_with("no queue takes it"), "{tried:?}");
    bind(&server, "#").await;
    bank.delivered().await;
    check(&all(&server).await, head);
    bank.service.outbox.close().await;
}

/// The broker confirms many messages at once, and the client hands one that came back over with any of them: once an
/// event that no queue took counted as delivered, and one that a queue had taken was sent again in its place.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_told_apart_from_what_was_taken_beside_it() {
    const NAMES: u64 = 100;
    let server = RabbitMq::start();
    bind(&server, "posted").await;
    let mut bank = Bank::start(Settings { begin: Begin::Now, ..settings(&server) }).await;
    let before = bank.head();
    for number in 0..NAMES {
        bank.pay(3).await;
        bank.service.books.intern(NameKind::Actor, &format!("name {number}")).await.unwrap();
    }
    let began = Instant::now();
    loop {
        let standing = bank.service.outbox.list().await.unwrap().remove(0);
        // The names wait for another try or were given up; nothing else is missing.
        if standing.lag() == standing.parked && standing.parked + standing.dead_letters == NAMES {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{standing:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken: HashSet<u64> =
        all(&server).await.iter().map(|event| event["sequence"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(taken.len() as u64, 3 * NAMES);
    assert!(taken.iter().all(|sequence| (sequence - before) % 4 != 0), "every fourth event is a name");
    bank.service.outbox.close().await;
}
