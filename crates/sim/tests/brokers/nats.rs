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
