//! Receivers that refuse, lead elsewhere, hang, talk too much or are not there.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bank::outbox::retry::ATTEMPTS_MAX;
use serde_json::{Value, json};

use crate::bank::*;
use crate::receiver::{Receiver, Reply, bank, deposit, pay};

async fn rich() -> Bank {
    let bank = bank().await;
    for account in [ALICE, BOB, CAROL_SAVINGS] {
        bank.fund(account, "1000.00").await;
    }
    bank
}

async fn webhook(bank: &Bank, made: &Value) -> Value {
    bank.get(&bank.admin, &format!("/webhooks/{}", made["id"].as_str().unwrap())).await.expect(200).value()
}

async fn attempts(bank: &Bank, made: &Value) -> Vec<Value> {
    let path = format!("/webhooks/{}/deliveries", made["id"].as_str().unwrap());
    bank.get(&bank.admin, &path).await.expect(200).value()["items"].as_array().unwrap().clone()
}

/// Waits until a webhook shows it.
async fn shows(bank: &Bank, made: &Value, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let webhook = webhook(bank, made).await;
        if is(&webhook) {
            return webhook;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{webhook}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_lane_that_fails_stops_no_other() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|got| Reply::Status(if got.touches(ALICE) { 500 } else { 200 }));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let alice = [
        pay(&bank, (&bank.alice, ALICE), CAROL_CHECKING, "a1").await,
        pay(&bank, (&bank.alice, ALICE), CAROL_CHECKING, "a2").await,
    ];
    // Behind Alice's, since they touch an account that hers touch.
    let behind = pay(&bank, (&bank.carol, CAROL_CHECKING), CAROL_SAVINGS, "c").await;
    let mut others = Vec::new();
    for round in 0..30 {
        others.push(deposit(&bank, BOB, &format!("b{round}")).await);
    }
    receiver.has(&others).await;
    let parked = shows(&bank, &made, |webhook| webhook["parked"] == 3).await;
    assert_eq!(parked["status"], "active");
    assert_eq!(parked["delivered_through"], others.last().unwrap().to_string());
    assert!(!receiver.got().iter().any(|got| got.sequence() == alice[1] || got.sequence() == behind));

    receiver.answers(|_| Reply::Status(200));
    receiver.has(&[alice[0], alice[1], behind]).await;
    receiver.is_in_order();
    shows(&bank, &made, |webhook| webhook["parked"] == 0 && webhook["lag_events"] == 0).await;
}

/// Every change in the bank database (a key, a rail, a payment's step) once had all that was parked tried again at
/// once: where something changes every second, the days before a dead letter were half a minute.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_keeps_its_time_whatever_else_changes() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Status(500));
    receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    for number in 0.. {
        if receiver.got().len() > 1 {
            break;
        }
        let key = json!({"name": format!("{number}"), "principal": "auditor:new", "role": "auditor"});
        bank.admin("/keys").json(key).await.expect(201);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let got = receiver.got();
    let waited = got[1].at - got[0].at;
    assert!(waited >= Duration::from_secs(4), "five seconds, a fifth less at most: {waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_does_not_wait_for_the_time_of_what_is_parked() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Status(500));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let paid = [pay(&bank, (&bank.alice, ALICE), CAROL_SAVINGS, "1").await, deposit(&bank, BOB, "2").await];
    shows(&bank, &made, |webhook| webhook["parked"] == 2).await;
    receiver.answers(|_| Reply::Status(200));
    let began = Instant::now();
    let replay = json!({"events": [paid[1].to_string()]});
    bank.admin(&format!("/outbox/{}/replay", made["id"].as_str().unwrap())).json(replay).await.expect(200);
    receiver.has(&paid[1..]).await;
    assert!(began.elapsed() < Duration::from_secs(3), "sooner than its time: {:?}", began.elapsed());
    assert!(!receiver.accepted().contains(&paid[0]), "the other one keeps its time");
    receiver.has(&paid).await;
}

/// The waits of days are cut short by replays here; how long they are is tested where they are computed (`retry`).
#[tokio::test(flavor = "multi_thread")]
async fn one_event_goes_through_all_its_attempts_becomes_a_dead_letter_and_lets_its_lane_go_on() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    let refused = Arc::new(AtomicU64::new(0));
    let first = Arc::clone(&refused);
    receiver.answers(move |got| {
        if got.touches(ALICE) {
            let _ = first.compare_exchange(0, got.sequence(), Relaxed, Relaxed);
        }
        Reply::Status(if got.sequence() == first.load(Relaxed) { 422 } else { 204 })
    });
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let path = |what: &str| format!("/outbox/{}/{what}", made["id"].as_str().unwrap());
    let paid = pay(&bank, (&bank.alice, ALICE), CAROL_SAVINGS, "1").await;
    let behind = pay(&bank, (&bank.alice, ALICE), CAROL_SAVINGS, "2").await;
    shows(&bank, &made, |webhook| webhook["parked"] == 2).await;
    let replay = json!({"events": [paid.to_string()]});
    let deliveries = format!("/webhooks/{}/deliveries?limit=500", made["id"].as_str().unwrap());
    let tried = async || {
        let list = bank.get(&bank.admin, &deliveries).await.expect(200).value();
        let of_it =
            list["items"].as_array().unwrap().iter().filter(|item| item["sequence"] == *paid.to_string());
        let mut tried: Vec<u64> = of_it.map(|item| item["attempt"].as_u64().unwrap()).collect();
        tried.sort_unstable();
        tried
    };
    for round in 0.. {
        if tried().await.last() == Some(&u64::from(ATTEMPTS_MAX)) {
            break;
        }
        // Others get through meanwhile, or the subscriber would be down and the event not to blame.
        let other = deposit(&bank, BOB, &format!("b{round}")).await;
        receiver.has(&[other]).await;
        bank.admin(&path("replay")).json(replay.clone()).await.expect(200);
        // What came of it is written within half a second; until then the event has no later time to be brought forward.
        tokio::time::sleep(Duration::from_millis(800)).await;
    }
    shows(&bank, &made, |webhook| webhook["dead_letters"] == 1).await;
    assert_eq!(tried().await, (1..=u64::from(ATTEMPTS_MAX)).collect::<Vec<_>>());
    let dead = bank.get(&bank.admin, &path("dead-letters")).await.expect(200).value();
    assert_eq!(dead["items"][0]["sequence"], paid.to_string(), "{dead}");
    assert_eq!(dead["items"][0]["attempts"], ATTEMPTS_MAX, "{dead}");
    receiver.has(&[behind]).await;

    refused.store(u64::MAX, Relaxed);
    bank.admin(&path("replay")).json(json!({"dead_letters": true})).await.expect(200);
    receiver.has(&[paid]).await;
    shows(&bank, &made, |webhook| webhook["dead_letters"] == 0 && webhook["lag_events"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_down_costs_the_others_nothing_and_reads_on_when_it_is_back() {
    let bank = rich().await;
    let (well, sick) = (Receiver::start().await, Receiver::start().await);
    sick.answers(|_| Reply::Status(503));
    well.registered(&bank, json!({})).await;
    let made = sick.registered(&bank, json!({})).await;
    let mut paid = Vec::new();
    for round in 0..200 {
        paid.push(pay(&bank, (&bank.alice, ALICE), BOB, &format!("a{round}")).await);
        paid.push(pay(&bank, (&bank.bob, BOB), CAROL_SAVINGS, &format!("b{round}")).await);
        paid.push(pay(&bank, (&bank.carol, CAROL_SAVINGS), ALICE, &format!("c{round}")).await);
        // In no lane, so it waits for nobody: that nothing gets through is seen soon.
        let name = format!("nobody {round}");
        bank.service.books.intern(ledger::event::NameKind::Actor, &name).await.unwrap();
        paid.push(bank.events());
    }
    well.has(&paid).await;
    let down = shows(&bank, &made, |webhook| webhook["status"] == "down" && webhook["lag_events"] != 0).await;
    assert!(down["lag_seconds"].as_f64().unwrap() > 0.0, "{down}");
    assert_eq!(down["dead_letters"], 0);
    assert!(sick.got().len() < 100, "it is not knocked at for every event: {}", sick.got().len());

    sick.answers(|_| Reply::Status(200));
    sick.has(&paid).await;
    sick.is_in_order();
    shows(&bank, &made, |webhook| webhook["status"] == "active" && webhook["lag_events"] == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_disables_and_when_enabled_it_goes_on_where_it_stopped() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Status(410));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let first = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    let disabled = shows(&bank, &made, |webhook| webhook["status"] == "disabled").await;
    assert!(disabled["disabled_why"].as_str().unwrap().contains("410"), "{disabled}");
    let second = pay(&bank, (&bank.alice, ALICE), BOB, "2").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.got().len(), 1, "nothing is sent to one that is disabled");

    receiver.answers(|_| Reply::Status(200));
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let patch = bank.ask(axum::http::Method::PATCH, &bank.admin, &path);
    let enabled = patch.json(json!({"enabled": true})).await.expect(200).value();
    assert_eq!(enabled["status"], "active", "{enabled}");
    receiver.has(&[first, second]).await;
    receiver.is_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_and_is_no_delivery() {
    let bank = rich().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let other = elsewhere.url.clone();
    receiver.answers(move |_| Reply::With(307, "location", other.clone()));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    shows(&bank, &made, |webhook| webhook["parked"] == 1).await;
    assert_eq!(elsewhere.got().len(), 0);
    assert_eq!(attempts(&bank, &made).await[0]["status"], 307);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_heard() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    let once = std::sync::atomic::AtomicBool::new(false);
    receiver.answers(move |_| {
        if once.swap(true, std::sync::atomic::Ordering::Relaxed) {
            return Reply::Status(200);
        }
        Reply::With(429, "retry-after", "7".into())
    });
    receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let first = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    receiver.until("the first try", |got| !got.is_empty()).await;
    let other = pay(&bank, (&bank.carol, CAROL_SAVINGS), CAROL_CHECKING, "2").await;
    receiver.has(&[first, other]).await;
    let got = receiver.got();
    assert!(got[1].at - got[0].at >= Duration::from_secs(7), "nothing goes out before");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_hangs_is_given_up_after_its_time_and_holds_up_only_its_lane() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|got| if got.touches(ALICE) { Reply::Hang } else { Reply::Status(200) });
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let began = Instant::now();
    pay(&bank, (&bank.alice, ALICE), CAROL_CHECKING, "1").await;
    let other = deposit(&bank, BOB, "2").await;
    receiver.has(&[other]).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    shows(&bank, &made, |webhook| webhook["parked"] == 1).await;
    let failed = attempts(&bank, &made).await;
    assert_eq!(failed[0]["answer"], "no answer in time");
    assert!(failed[0]["took_ms"].as_f64().unwrap() >= 15_000.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_in_part_and_as_plain_text() {
    let bank = rich().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Text(500, format!("no\u{1b}[31m\n{}", "x".repeat(1 << 20))));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    shows(&bank, &made, |webhook| webhook["parked"] == 1).await;
    let answer = attempts(&bank, &made).await[0]["answer"].as_str().unwrap().to_owned();
    assert!(answer.starts_with("no [31m xxx"), "{answer:.40}");
    assert_eq!(answer.len(), 1_024);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_is_tried_until_it_is() {
    let bank = rich().await;
    // A port that was free a moment ago.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let wish = json!({"name": "late", "url": format!("http://{address}/"), "filter": {"kinds": ["posted"]}});
    let made = bank.admin("/webhooks").json(wish).await.expect(201).value();
    let paid = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    shows(&bank, &made, |webhook| webhook["parked"] == 1).await;
    assert!(attempts(&bank, &made).await[0]["answer"].as_str().unwrap().starts_with("no connection"));

    let receiver = Receiver::start_at(&address.to_string()).await;
    receiver.has(&[paid]).await;
}
