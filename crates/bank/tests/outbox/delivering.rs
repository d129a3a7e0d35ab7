//! Events arrive: signed, as CloudEvents, in order per lane, over restarts.

use std::time::Duration;

use serde_json::json;
use standardwebhooks::Webhook;

use crate::bank::*;
use crate::receiver::{Receiver, bank, pay, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_arrives_as_a_signed_cloud_event() {
    let bank = bank().await;
    bank.fund(ALICE, "100.00").await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({})).await;
    let secret = made["secret"].as_str().unwrap();
    let paid = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    receiver.has(&[paid]).await;
    let got = receiver.got().into_iter().find(|got| got.sequence() == paid).unwrap();

    Webhook::new(secret).unwrap().verify(&got.raw, &got.headers).unwrap();
    let mut forged = got.raw.to_vec();
    forged[20] ^= 1;
    assert!(Webhook::new(secret).unwrap().verify(&forged, &got.headers).is_err());

    assert_eq!(got.headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert_eq!(got.headers["webhook-id"], got.body["id"].as_str().unwrap());
    assert_eq!(got.body["specversion"], "1.0");
    assert_eq!(got.body["type"], "bankcore.posted");
    assert!(got.body["source"].as_str().unwrap().starts_with("urn:bankcore:"));
    assert_eq!(got.body["partitionkey"], ALICE);
    // The data is the event as GET /events shows it to the same reader.
    let page = bank.get(&bank.admin, &format!("/events?after={}&limit=1", paid - 1)).await.value();
    assert_eq!(got.body["data"], page["items"][0]);
    assert_eq!(got.body["id"], page["items"][0]["id"]);
    assert_eq!(got.body["data"]["entries"][0]["balance_after"], "99.00");
    assert!(got.body["data"]["entries"][0]["account_version"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_subscription_begins_now_or_where_it_says() {
    let bank = bank().await;
    let (now, all) = (Receiver::start().await, Receiver::start().await);
    let made = now.registered(&bank, json!({})).await;
    let before = bank.events();
    assert_eq!(made["begins_after"], before.to_string());
    all.registered(&bank, json!({"after": "0"})).await;
    bank.fund(ALICE, "1.00").await;
    let head = bank.events();
    let (newer, every): (Vec<u64>, Vec<u64>) = ((before + 1..=head).collect(), (1..=head).collect());
    now.has(&newer).await;
    all.has(&every).await;
    assert!(now.accepted().iter().all(|sequence| *sequence > before));
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_arrive_in_order_under_load() {
    let bank = bank().await;
    for account in [ALICE, BOB, CAROL_SAVINGS, CAROL_CHECKING] {
        bank.fund(account, "1000.00").await;
    }
    let receiver = Receiver::start().await;
    // Slow, and of different speed for each.
    receiver.answers(|got| {
        std::thread::sleep(Duration::from_micros(100 * (got.sequence() % 7)));
        crate::receiver::Reply::Status(200)
    });
    receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let mut paid = Vec::new();
    for round in 0..100 {
        paid.push(pay(&bank, (&bank.alice, ALICE), BOB, &format!("a{round}")).await);
        paid.push(pay(&bank, (&bank.carol, CAROL_SAVINGS), CAROL_CHECKING, &format!("c{round}")).await);
        paid.push(pay(&bank, (&bank.bob, BOB), CAROL_SAVINGS, &format!("b{round}")).await);
    }
    receiver.has(&paid).await;
    receiver.is_in_order();
    assert_eq!(receiver.accepted().len(), paid.len(), "nothing failed, so nothing came twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_and_after_a_clean_stop_nothing_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::start().await;
    let mut made = 0;
    for round in 0..3 {
        let opened = match round {
            0 => bank::service::create(folder.path(), &settings()).await,
            _ => bank::service::open(folder.path(), &settings()).await,
        };
        let service = opened.unwrap();
        service.outbox.start().await.unwrap();
        if round == 0 {
            let wish = bank::outbox::Wish {
                name: "test".into(),
                url: receiver.url.clone(),
                principal: "p".parse().unwrap(),
                role: bank::identity::Role::Admin,
                accounts: vec![],
                filter: bank::outbox::view::Filter::default(),
                templates: bank::outbox::template::Templates::new(),
                begin: bank::outbox::Begin::After(0),
            };
            let by = bank::database::Actor::new("root", "test");
            service.outbox.create_webhook(wish, &by, 1).await.unwrap();
        }
        for name in 0..20 {
            let name = format!("name {round} {name}");
            service.books.intern(ledger::event::NameKind::Actor, &name).await.unwrap();
        }
        made = service.books.reads().head().sequence.0;
        if round == 1 {
            // This time it stops in the middle of it.
            tokio::time::sleep(Duration::from_millis(3)).await;
        } else {
            receiver.has(&(1..=made).collect::<Vec<_>>()).await;
        }
        service.close().await;
    }
    let mut accepted = receiver.accepted();
    accepted.sort_unstable();
    assert_eq!(accepted, (1..=made).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_every_event_once_also_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.ndjson");
    let mut settings = settings();
    settings.outbox.begin = bank::outbox::Begin::After(0);
    settings.outbox.file = Some(bank::outbox::FileSettings { path: file.clone(), bytes_max: 1 << 20 });
    let data = folder.path().join("data");
    let mut head = 0;
    for round in 0..2 {
        let opened = match round {
            0 => bank::service::create(&data, &settings).await,
            _ => bank::service::open(&data, &settings).await,
        };
        let service = opened.unwrap();
        service.outbox.start().await.unwrap();
        for name in 0..50 {
            let name = format!("name {round} {name}");
            service.books.intern(ledger::event::NameKind::Actor, &name).await.unwrap();
        }
        head = service.books.reads().head().sequence.0;
        let began = std::time::Instant::now();
        loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.lines().count() as u64 >= head {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{} of {head}", text.lines().count());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        service.close().await;
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let sequence = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["sequence"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let mut sequences: Vec<u64> = text.lines().map(sequence).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=head).collect::<Vec<_>>());
}
