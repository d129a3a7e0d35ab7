//! NATS JetStream.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{self, Context};
use bank::outbox::{Begin, Broker, HiddenUrl, Settings};
use futures::StreamExt as _;
use serde_json::Value;
use sim::broker::Nats;

use crate::bank::{Bank, check};

fn settings(server: &Nats) -> Settings {
    let nats = Some(Broker { url: HiddenUrl::new(&server.url()), place: "BANK".into() });
    Settings { nats, begin: Begin::After(0), ..Settings::default() }
}

async fn context(server: &Nats) -> Context {
    jetstream::new(async_nats::connect(server.url()).await.unwrap())
}

/// Everything that is in the stream, in its order.
async fn all(server: &Nats) -> Vec<(String, Value)> {
    let stream = context(server).await.get_stream("BANK").await.unwrap();
    let count = stream.get_info().await.unwrap().state.messages;
    // Without acknowledgements: a consumer that owes a thousand of them is given the same messages again.
    let wanted = pull::Config {
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::None,
        ..pull::Config::default()
    };
    let messages = stream.create_consumer(wanted).await.unwrap().messages().await.unwrap();
    let got = messages.take(usize::try_from(count).unwrap()).map(|message| {
        let message = message.unwrap();
        (message.subject.to_string(), serde_json::from_slice(&message.payload).unwrap())
    });
    tokio::time::timeout(Duration::from_secs(60), got.collect()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_in_the_stream_once_and_in_order() {
    let server = Nats::start();
    let mut bank = Bank::start(settings(&server)).await;
    let head = bank.pay(500).await;
    bank.delivered().await;
    let got = all(&server).await;
    assert_eq!(got.len() as u64, head, "what is published again soon is kept once");
    assert!(got.iter().any(|(subject, _)| subject == "bank.posted"));
    let events: Vec<Value> = got.into_iter().map(|(_, event)| event).collect();
    check(&events, head);
    bank.service.outbox.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_under_load_loses_nothing_and_reorders_nothing() {
    let server = Nats::start();
    let mut bank = Bank::start(settings(&server)).await;
    for _ in 0..3 {
        bank.pay(300).await;
        server.kill();
        bank.pay(200).await;
        server.run();
    }
    let head = bank.pay(100).await;
    bank.delivered().await;
    let events: Vec<Value> = all(&server).await.into_iter().map(|(_, event)| event).collect();
    check(&events, head);
    bank.service.outbox.close().await;
}

/// Somebody else publishes into the same stream all the time: no parcel can be a chain.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_others_publish_to_as_well_loses_nothing_and_reorders_nothing() {
    let server = Nats::start();
    let mut bank = Bank::start(settings(&server)).await;
    let client = async_nats::connect(server.url()).await.unwrap();
    let others = tokio::spawn(async move {
        loop {
            client.publish("bank.foreign", "{}".into()).await.unwrap();
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    });
    let head = bank.pay(2_000).await;
    bank.delivered().await;
    others.abort();
    let got = all(&server).await;
    let (foreign, ours): (Vec<_>, Vec<_>) =
        got.into_iter().partition(|(subject, _)| subject == "bank.foreign");
    assert!(!foreign.is_empty());
    let events: Vec<Value> = ours.into_iter().map(|(_, event)| event).collect();
    check(&events, head);
    bank.service.outbox.close().await;
}

/// A stream that refuses some of our events takes all others, and says which ones it refused.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_refuses_is_tried_again_and_holds_nobody_else_up() {
    let server = Nats::start();
    let mut bank = Bank::start(settings(&server)).await;
    bank.pay(50).await;
    bank.delivered().await;
    let mut stream = context(&server).await.get_stream("BANK").await.unwrap();
    let mut narrow = stream.info().await.unwrap().config.clone();
    let sizes = all(&server).await.into_iter().map(|(_, event)| event.to_string().len());
    narrow.max_message_size = i32::try_from(sizes.max().unwrap() + 200).unwrap();
    context(&server).await.update_stream(narrow).await.unwrap();
    bank.pay(100).await;
    bank.delivered().await;
    let head = bank.pay_once(1, 2, &"x".repeat(500)).await;
    bank.parked(1).await;
    // Between others: what waits behind the one that is refused is its own customers' alone.
    for from in 3..19 {
        bank.pay_once(from, from + 1, "").await;
    }
    let head_now = bank.head();
    bank.parked(1).await;
    let got: Vec<Value> = all(&server).await.into_iter().map(|(_, event)| event).collect();
    let refused = got.iter().any(|event| event["sequence"].as_str() == Some(&format!("{head:020}")));
    assert!(!refused && got.len() as u64 == head_now - 1, "{} of {head_now}", got.len());
    bank.service.outbox.close().await;
}
