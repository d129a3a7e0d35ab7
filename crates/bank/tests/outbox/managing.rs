//! Endpoints: registered, changed, tried out, replayed, removed; who may, and what is written down of it.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::bank::*;
use crate::receiver::{Receiver, Reply, bank, deposit};

fn path(made: &Value, rest: &str) -> String {
    format!("/webhooks/{}{rest}", made["id"].as_str().unwrap())
}

async fn audit(bank: &Bank) -> Vec<Value> {
    let page = bank.get(&bank.admin, "/audit?limit=500").await.expect(200).value();
    let items = page["items"].as_array().unwrap().clone();
    items.into_iter().filter(|item| item["object"] == "subscription").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_lives_from_its_registration_to_its_end_and_the_audit_trail_tells_it() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({})).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));

    let list = bank.get(&bank.auditor, "/webhooks").await.expect(200);
    assert_eq!(list.value()["items"][0]["id"], made["id"]);
    let one = bank.get(&bank.auditor, &path(&made, "")).await.expect(200);
    let sinks = bank.get(&bank.auditor, "/outbox").await.expect(200);
    assert_eq!(sinks.value()["items"][0]["sink"], "webhook");

    let tried = bank.admin(&path(&made, "/test")).send().await.expect(200).value();
    assert_eq!((&tried["outcome"], &tried["status"]), (&json!("delivered"), &json!(204)));
    let got = receiver.got();
    assert_eq!(got[0].body["type"], "bankcore.test");
    Webhook::new(&secret).unwrap().verify(&got[0].raw, &got[0].headers).unwrap();

    let rotated = bank.admin(&path(&made, "/secret")).json(json!({})).await.expect(200).value();
    let newer = rotated["secret"].as_str().unwrap();
    bank.admin(&path(&made, "/test")).send().await.expect(200);
    let got = receiver.got().pop().unwrap();
    for secret in [&*secret, newer] {
        Webhook::new(secret).unwrap().verify(&got.raw, &got.headers).expect("both sign for a day");
    }
    let last =
        bank.admin(&path(&made, "/secret")).json(json!({"overlap_seconds": 0})).await.expect(200).value();
    let last = last["secret"].as_str().unwrap();
    bank.admin(&path(&made, "/test")).send().await.expect(200);
    let got = receiver.got().pop().unwrap();
    Webhook::new(last).unwrap().verify(&got.raw, &got.headers).unwrap();
    for secret in [&*secret, newer] {
        assert!(Webhook::new(secret).unwrap().verify(&got.raw, &got.headers).is_err());
    }

    let patch = bank.ask(Method::PATCH, &bank.operations, &path(&made, ""));
    let changed = patch.json(json!({"name": "other", "enabled": false})).await.expect(200).value();
    assert_eq!((&changed["name"], &changed["status"]), (&json!("other"), &json!("disabled")));
    bank.ask(Method::DELETE, &bank.admin, &path(&made, "")).send().await.expect(204);
    assert_eq!(bank.get(&bank.admin, &path(&made, "")).await.problem(), (404, "not_found".into()));

    let trail = audit(&bank).await;
    let actions: Vec<&str> = trail.iter().map(|item| item["action"].as_str().unwrap()).collect();
    let expected = [
        "create",
        "add_secret",
        "change_secret",
        "add_secret",
        "remove_secret",
        "remove_secret",
        "add_secret",
        "disable",
        "remove_secret",
        "delete",
    ];
    assert_eq!(actions, expected);
    assert_eq!(trail[7]["actor"], "operations");
    let text = [json!(trail).to_string(), list.text, one.text, sinks.text].concat();
    for secret in [&*secret, newer, last] {
        assert!(!text.contains(&secret[6..]), "a secret is shown once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_what() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({})).await;
    let wish = json!({"name": "mine", "url": receiver.url});
    let id = made["id"].as_str().unwrap();
    for (token, manages, reads) in [
        (&bank.admin, true, true),
        (&bank.operations, true, true),
        (&bank.auditor, false, true),
        (&bank.teller, false, false),
        (&bank.alice, false, false),
    ] {
        let status = |may: bool, done: u16| if may { done } else { 403 };
        bank.post(token, "/webhooks").json(wish.clone()).await.expect(status(manages, 201));
        bank.post(token, &path(&made, "/test")).send().await.expect(status(manages, 200));
        bank.post(token, &path(&made, "/secret")).send().await.expect(status(manages, 200));
        let replay = json!({"events": ["1"]});
        bank.post(token, &format!("/outbox/{id}/replay")).json(replay).await.expect(status(manages, 200));
        let change = bank.ask(Method::PATCH, token, &path(&made, "")).json(json!({"name": "x"})).await;
        change.expect(status(manages, 200));
        for path in [
            "/webhooks",
            &path(&made, ""),
            &path(&made, "/deliveries"),
            "/outbox",
            &format!("/outbox/{id}/dead-letters"),
        ] {
            bank.get(token, path).await.expect(status(reads, 200));
        }
    }
    for token in [&bank.auditor, &bank.alice] {
        bank.ask(Method::DELETE, token, &path(&made, "")).send().await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_possible_is_refused_with_a_remedy() {
    let bank = bank().await;
    let url = "http://127.0.0.1:9/";
    let long = "x".repeat(101);
    for (wish, code) in [
        (json!({"name": "a", "url": "https://127.0.0.2/"}), "address_not_allowed"),
        (json!({"name": "a", "url": "https://169.254.169.254/latest/meta-data"}), "address_not_allowed"),
        (json!({"name": "a", "url": "https://[::ffff:127.0.0.1]/"}), "address_not_allowed"),
        (json!({"name": "a", "url": "https://no-such-host.invalid/"}), "address_not_allowed"),
        (json!({"name": "a", "url": "http://8.8.8.8/"}), "address_not_allowed"),
        (json!({"name": "a", "url": "ftp://example.com/"}), "address_not_allowed"),
        (json!({"name": "", "url": url}), "subscription_not_possible"),
        (json!({"name": long, "url": url}), "subscription_not_possible"),
        (
            json!({"name": "a", "url": url, "role": "customer", "principal": "alice"}),
            "subscription_not_possible",
        ),
        (json!({"name": "a", "url": url, "accounts": ["4"]}), "subscription_not_possible"),
        (
            json!({"name": "a", "url": url, "role": "customer", "principal": "alice", "accounts": ["999"]}),
            "subscription_not_possible",
        ),
        (json!({"name": "a", "url": url, "filter": {"accounts": ["999"]}}), "subscription_not_possible"),
        (json!({"name": "a", "url": url, "after": "999999"}), "subscription_not_possible"),
    ] {
        let answer = bank.admin("/webhooks").json(wish.clone()).await;
        assert_eq!(answer.problem(), (422, code.into()), "{wish}: {}", answer.text);
    }
    for wish in [
        json!({"name": "a"}),
        json!({"name": "a", "url": url, "role": "king"}),
        json!({"name": "a", "url": url, "principal": "internal:outbox"}),
        json!({"name": "a", "url": url, "filter": {"kinds": ["gossip"]}}),
        json!({"name": "a", "url": url, "unknown": 1}),
    ] {
        let answer = bank.admin("/webhooks").json(wish.clone()).await;
        assert_eq!(answer.problem(), (400, "malformed_request".into()), "{wish}");
    }
    for id in ["nonsense", "019aa3f0-7c00-7abc-8def-0123456789ab"] {
        let answer = bank.get(&bank.admin, &format!("/webhooks/{id}")).await;
        assert_eq!(answer.problem(), (404, "not_found".into()));
    }
    assert_eq!(audit(&bank).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_64_subscriptions_at_most() {
    let bank = bank().await;
    let wish = json!({"name": "a", "url": "http://127.0.0.1:9/", "filter": {"kinds": ["day_closed"]}});
    for _ in 0..64 {
        bank.admin("/webhooks").json(wish.clone()).await.expect(201);
    }
    let answer = bank.admin("/webhooks").json(wish).await;
    assert_eq!(answer.problem(), (422, "too_many_subscriptions".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_sent_again_by_number_by_range_and_from_the_dead_letters() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    let id = made["id"].as_str().unwrap();
    let mut paid = Vec::new();
    for round in 0..5 {
        paid.push(deposit(&bank, ALICE, &format!("{round}")).await);
    }
    receiver.has(&paid).await;
    bank.settled(&made).await;
    let replay = async |what: Value| bank.admin(&format!("/outbox/{id}/replay")).json(what).await;
    let again = async |count: usize| receiver.until("again", move |got| got.len() == count).await;

    let answer = replay(json!({"events": [paid[2].to_string()]})).await.expect(200);
    assert_eq!(answer.value()["events"], 1);
    again(6).await;
    assert_eq!(receiver.got()[5].headers["webhook-id"], receiver.got()[2].headers["webhook-id"]);
    bank.settled(&made).await;

    replay(json!({"from": paid[0].to_string(), "to": paid[4].to_string()})).await.expect(200);
    again(11).await;
    assert_eq!(receiver.accepted()[6..], paid, "in order");
    bank.settled(&made).await;

    // A dead letter, as days of failing would leave it.
    sqlx::query("INSERT INTO outbox_dead_letters VALUES (?, ?, 13, 5, 'no')")
        .bind(id.parse::<uuid::Uuid>().unwrap().as_bytes().to_vec())
        .bind(paid[1].cast_signed())
        .execute(bank.service.database.pool())
        .await
        .unwrap();
    let letters = bank.get(&bank.admin, &format!("/outbox/{id}/dead-letters")).await.expect(200).value();
    assert_eq!(letters["items"][0]["sequence"], paid[1].to_string());
    assert_eq!(bank.get(&bank.admin, &path(&made, "")).await.value()["dead_letters"], 1);
    assert_eq!(replay(json!({"dead_letters": true})).await.expect(200).value()["events"], 1);
    again(12).await;
    assert_eq!(receiver.accepted()[11], paid[1]);
    bank.settled(&made).await;
    assert_eq!(bank.get(&bank.admin, &path(&made, "")).await.value()["dead_letters"], 0);

    for what in [
        json!({"from": "2", "to": "1"}),
        json!({"from": "1", "to": "10001"}),
        json!({"events": ["0"]}),
        json!({"events": ["999999"]}),
    ] {
        assert_eq!(replay(what.clone()).await.problem(), (422, "subscription_not_possible".into()), "{what}");
    }
    for what in [json!({}), json!({"events": []}), json!({"events": ["1"], "dead_letters": true})] {
        assert_eq!(replay(what.clone()).await.problem(), (400, "malformed_request".into()), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_tell_how_far_each_is() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    receiver.answers(|_| Reply::Status(500));
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"]}})).await;
    deposit(&bank, ALICE, "1").await;
    let began = std::time::Instant::now();
    let line = |name: &str, value: &str| {
        format!("{name}{{sink=\"webhook\",subscription=\"{}\"}} {value}", made["id"].as_str().unwrap())
    };
    loop {
        let text = bank.metrics().await;
        if text.contains(&line("bankcore_outbox_parked", "1")) {
            assert!(text.contains(&line("bankcore_outbox_dead_letters", "0")), "{text}");
            assert!(text.contains("bankcore_outbox_lag_seconds{"));
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Bank {
    /// Waits until everything is delivered and written down.
    async fn settled(&self, made: &Value) {
        let began = std::time::Instant::now();
        loop {
            let webhook = self.get(&self.admin, &path(made, "")).await.value();
            if webhook["parked"] == 0 && webhook["lag_events"] == 0 {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{webhook}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
