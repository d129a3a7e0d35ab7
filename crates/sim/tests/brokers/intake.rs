//! Transfers that come as messages: each counts once, however often it comes; what can never count is told why.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use async_nats::jetstream;
use bank::http::{App, Settings as HttpSettings, queue_router};
use bank::intake::{Intake, Settings};
use bank::outbox::{Broker, HiddenUrl};
use lapin::options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use serde_json::json;
use sim::broker::{Nats, RabbitMq};

use crate::bank::Bank;

/// Messages that count.
const GOOD: i64 = 60;

fn transfer(to: &str) -> String {
    json!({"transfer": {"from_account_id": "1", "to_account_id": to, "amount": "1.00", "currency": "BDT"}})
        .to_string()
}

/// Each good one comes three times; then those that can never count: id, body, and the code that they are told.
fn messages() -> Vec<(Option<String>, String)> {
    let good = (0..GOOD).flat_map(|number| vec![(Some(format!("pay-{number}")), transfer("2")); 3]);
    let poison = [
        (None, transfer("2")),
        (Some("poison-1".to_owned()), "not JSON".to_owned()),
        (Some("poison-2".to_owned()), transfer("999")),
        (Some("poison-3".to_owned()), json!({"deposit": {}}).to_string()),
    ];
    good.chain(poison).collect()
}

const CODES: [&str; 4] =
    ["account_not_found", "malformed_request", "malformed_request", "message_id_missing"];

fn intake(bank: &Bank, settings: &Settings) -> Intake {
    let http = HttpSettings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false };
    Intake::start(queue_router(App::new(Arc::clone(&bank.service), http)), settings)
}

/// Waits until all that is good has counted, and then some more: nothing counts twice.
async fn counted(bank: &Bank, expected: i64) {
    let began = Instant::now();
    while bank.balance(2).await < expected {
        assert!(began.elapsed() < Duration::from_secs(60), "{} of {expected}", bank.balance(2).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(bank.balance(2).await, expected);
}

fn broker(url: String, place: &str) -> Option<Broker> {
    Some(Broker { url: HiddenUrl::new(&url), place: place.to_owned() })
}

async fn queues(server: &RabbitMq) -> (Connection, Channel) {
    let connection = Connection::connect(&server.url(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    for queue in ["payments", "payments.dead"] {
        channel.queue_declare(queue.into(), durable, FieldTable::default()).await.unwrap();
    }
    (connection, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn from_rabbitmq() {
    let server = RabbitMq::start();
    let bank = Bank::start(bank::outbox::Settings::default()).await;
    let settings = Settings { rabbitmq: broker(server.url(), "payments"), nats: None };
    let running = intake(&bank, &settings);
    {
        let (_connection, channel) = queues(&server).await;
        for (id, body) in messages() {
            let mut properties = BasicProperties::default().with_delivery_mode(2);
            if let Some(id) = id {
                properties = properties.with_message_id(id.as_str().into());
            }
            let options = BasicPublishOptions::default();
            let published =
                channel.basic_publish("".into(), "payments".into(), options, body.as_bytes(), properties);
            published.await.unwrap().await.unwrap();
        }
    }
    // In the middle of it, or after it: what was not acknowledged comes again.
    server.kill();
    server.run();
    counted(&bank, GOOD * 100).await;
    running.stop().await;

    let (_connection, channel) = queues(&server).await;
    let mut codes = Vec::new();
    while let Some(dead) =
        channel.basic_get("payments.dead".into(), BasicGetOptions { no_ack: true }).await.unwrap()
    {
        let headers = dead.properties.headers().clone().unwrap();
        let code = headers.inner().get("bankcore-code").unwrap().as_long_string().unwrap().to_string();
        codes.push(code);
    }
    codes.sort_unstable();
    // One that was buried just before the kill may be buried again.
    codes.dedup();
    let mut expected = CODES.to_vec();
    expected.dedup();
    assert_eq!(codes, expected);
    let left = channel.basic_get("payments".into(), BasicGetOptions { no_ack: true }).await.unwrap();
    assert!(left.is_none(), "everything was acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_nats() {
    let server = Nats::start();
    let bank = Bank::start(bank::outbox::Settings::default()).await;
    let settings = Settings { nats: broker(server.url(), "PAYMENTS"), rabbitmq: None };
    let running = intake(&bank, &settings);
    let context = jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let began = Instant::now();
    while context.get_stream("PAYMENTS").await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "the stream is made");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (number, (id, body)) in messages().into_iter().enumerate() {
        let mut headers = HeaderMap::new();
        if let Some(id) = id {
            headers.insert(async_nats::header::NATS_MESSAGE_ID, id.as_str());
        }
        let subject = format!("payments.{number}");
        context.publish_with_headers(subject, headers, body.into()).await.unwrap().await.unwrap();
    }
    counted(&bank, GOOD * 100).await;
    let dead = context.get_stream("PAYMENTS-DEAD").await.unwrap();
    let began = Instant::now();
    while dead.get_info().await.unwrap().state.messages < CODES.len() as u64 {
        assert!(began.elapsed() < Duration::from_secs(30), "the dead letters are buried");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut codes = Vec::new();
    for number in 1..=CODES.len() as u64 {
        let message = dead.get_raw_message(number).await.unwrap();
        codes.push(message.headers.get("bankcore-code").unwrap().to_string());
    }
    codes.sort_unstable();
    assert_eq!(codes, CODES);
    // Another reader begins where this one stopped: with nothing.
    running.stop().await;
    let again = intake(&bank, &settings);
    counted(&bank, GOOD * 100).await;
    again.stop().await;
}
