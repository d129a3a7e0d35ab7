//! The trial balance, business days, the clock, probes and figures.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use insta::assert_json_snapshot;
use serde_json::json;
use std::net::SocketAddr;

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_trial_balance_now_and_then() {
    let bank = Bank::open().await;
    let before = bank.service.books.reads().head().sequence.0;
    bank.transfer(&bank.alice, "t", "100.00", json!({})).await.expect(201);
    let hold = json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"});
    bank.post(&bank.alice, "/holds", "h", hold).await.expect(201);
    let now = bank.get(&bank.auditor, "/trial-balance").await.expect(200);
    assert_json_snapshot!("trial_balance", bank.golden(&now));

    let then = bank.get(&bank.auditor, &format!("/trial-balance?as_of_sequence={before}")).await.expect(200);
    assert_json_snapshot!("trial_balance_before", bank.golden(&then));
    let time = then.value()["as_of_time"].as_str().unwrap().to_owned();
    let timed = bank.get(&bank.auditor, &format!("/trial-balance?as_of_time={time}")).await.expect(200);
    assert_eq!(timed.text, then.text);
    let head = now.value()["as_of_sequence"].as_str().unwrap().to_owned();
    let same = bank.get(&bank.auditor, &format!("/trial-balance?as_of_sequence={head}")).await.expect(200);
    assert_eq!(same.text, now.text, "folding again comes to the same");

    for (query, problem) in [
        ("as_of_sequence=99999", (422, "as_of_in_future")),
        ("as_of_time=2999-01-01T00:00:00Z", (422, "as_of_in_future")),
        ("as_of_sequence=0", (404, "not_found")),
        ("as_of_time=1999-01-01T00:00:00Z", (404, "not_found")),
        ("as_of_sequence=1&as_of_time=1999-01-01T00:00:00Z", (400, "malformed_request")),
    ] {
        let answer = bank.get(&bank.auditor, &format!("/trial-balance?{query}")).await;
        assert_eq!(answer.problem(), (problem.0, problem.1.into()), "{query}");
    }
    for token in [&bank.alice, &bank.teller] {
        assert_eq!(bank.get(token, "/trial-balance").await.problem(), (403, "forbidden".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_says_which_it_is() {
    let bank = Bank::open().await;
    let read = bank.get(&bank.alice, "/bank").await.expect(200).value();
    let events = bank.get(&bank.auditor, "/events?limit=1").await.expect(200).value();
    let event = events["items"][0]["id"].as_str().unwrap().to_owned();
    let (id, timeline) = (read["id"].as_str().unwrap(), read["timeline"].as_u64().unwrap());
    assert!(event.starts_with(&format!("{id}-{timeline}-")), "{event} is an event of {id}");
    assert_eq!(read["name"], *bank.service.name);
    assert_eq!(read["business_day"], "2126-11-22");
    let sequence: u64 = read["sequence"].as_str().unwrap().parse().unwrap();
    assert!((1..=bank.service.books.reads().head().sequence.0).contains(&sequence), "{sequence}");
    assert_eq!(bank.get("nobody", "/bank").await.problem().0, 401);
    bank.post(&bank.operations, "/business-day/close", "c", json!({"date": "2126-11-22"})).await.expect(200);
    assert_eq!(bank.get(&bank.alice, "/bank").await.expect(200).value()["business_day"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn business_days_are_opened_and_closed() {
    let bank = Bank::open().await;
    let day = async |token: &str, path: &str, key: &str, date: &str| {
        bank.post(token, &format!("/business-day/{path}"), key, json!({"date": date})).await
    };
    let read = bank.get(&bank.alice, "/business-day").await.expect(200).value();
    assert_eq!(read, json!({"open": "2126-11-22", "newest": "2126-11-22"}));
    let closed = day(&bank.operations, "close", "c", "2126-11-22").await.expect(200);
    assert_eq!(closed.value(), json!({"open": null, "newest": "2126-11-22"}));
    let again = day(&bank.operations, "close", "c", "2126-11-22").await.expect(200);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let refused = bank.transfer(&bank.alice, "t", "1.00", json!({})).await;
    assert_eq!(refused.problem(), (422, "no_open_day".into()));
    assert_eq!(
        day(&bank.operations, "open", "o1", "2126-11-22").await.problem(),
        (422, "day_not_after".into())
    );
    let opened = day(&bank.operations, "open", "o2", "2126-11-23").await.expect(200);
    assert_eq!(opened.value(), json!({"open": "2126-11-23", "newest": "2126-11-23"}));
    for token in [&bank.alice, &bank.teller, &bank.auditor] {
        assert_eq!(day(token, "close", "x", "2126-11-23").await.problem(), (403, "forbidden".into()));
    }
    assert_eq!(day(&bank.admin, "open", "x", "23.11.2026").await.problem().0, 400);
}

/// Books in a journal have no balances beside their events, so nothing of the kind is ever found.
#[tokio::test(flavor = "multi_thread")]
async fn balance_breaks_are_for_those_who_repair_and_check() {
    let bank = Bank::open().await;
    for token in [&bank.admin, &bank.operations, &bank.auditor] {
        let listed = bank.get(token, "/balance-breaks?state=open").await.expect(200).value();
        assert_eq!(listed, json!({"items": [], "next_cursor": null}));
    }
    let close =
        async |token: &str| bank.post(token, "/balance-breaks/1/close", "", json!({"reason": "x"})).await;
    for token in [&bank.alice, &bank.teller] {
        assert_eq!(bank.get(token, "/balance-breaks").await.problem(), (403, "forbidden".into()));
        assert_eq!(close(token).await.problem(), (403, "forbidden".into()));
    }
    assert_eq!(close(&bank.auditor).await.problem(), (403, "forbidden".into()));
    assert_eq!(close(&bank.operations).await.problem(), (404, "not_found".into()));
    for path in ["/balance-breaks?state=lost", "/balance-breaks?limit=0", "/balance-breaks?cursor=x"] {
        assert_eq!(bank.get(&bank.auditor, path).await.problem().0, 400, "{path}");
    }
    let nothing = bank.post(&bank.operations, "/balance-breaks/1/close", "", json!({"reason": " "})).await;
    assert_eq!(nothing.problem(), (400, "malformed_request".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_clock_is_signed() {
    let bank = Bank::open().await;
    let confirm = async |token: &str| bank.send(Method::POST, token, "/clock/confirm", None, None).await;
    assert_eq!(confirm(&bank.auditor).await.problem(), (403, "forbidden".into()));
    confirm(&bank.operations).await.expect(204);
    let records = bank.get(&bank.auditor, "/audit?limit=500").await.expect(200).value();
    let last = records["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["action"], &last["object"], &last["actor"]),
        (&json!("confirm"), &json!("clock"), &json!("operations"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alive_and_ready_without_a_key() {
    let bank = Bank::open().await;
    assert_eq!(bank.get("", "/health").await.expect(200).value(), json!({"status": "alive"}));
    assert_eq!(bank.get("", "/ready").await.expect(200).value(), json!({"status": "ready"}));
}

/// A disk that is nearly full stops new work and nothing else. Once every first use of a key wrote its name
/// into the books, so whoever came from a new address could not even read, and nobody new could confirm a
/// clock.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_writing_and_nothing_else() {
    let bank = Bank::open().await;
    let bank = bank.reopened(|settings| settings.store.journal.reserve_bytes = 1 << 60).await;
    // What is left of the segments that were made before is used up first.
    for _ in 0..40 {
        if bank.service.books.ready().await.is_err() {
            break;
        }
        bank.transfers_of(1, 4_000).await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(bank.get("", "/ready").await.problem(), (503, "disk_full".into()));
    assert_eq!(bank.get("", "/health").await.status, 200);
    for token in [&bank.alice, &bank.auditor] {
        for path in ["/accounts/3", "/accounts", "/accounts/3/entries", "/transactions?account_id=3"] {
            bank.get(token, path).await.expect(200);
        }
        assert_eq!(bank.get(token, "/idempotency/new").await.problem(), (404, "key_not_decided".into()));
    }
    let refused = bank.transfer(&bank.alice, "t", "1.00", json!({})).await;
    assert_eq!(refused.problem(), (503, "disk_full".into()));
    assert!(refused.header("retry-after").is_some());
    let confirmed = bank.send(Method::POST, &bank.operations, "/clock/confirm", None, None).await;
    assert_eq!(confirmed.status, 204, "{}", confirmed.text);
    let bank = bank.reopened(|settings| settings.store.journal.reserve_bytes = 0).await;
    bank.get("", "/ready").await.expect(200);
    bank.transfer(&bank.alice, "t", "1.00", json!({})).await.expect(201);
}

async fn figures(bank: &Bank, peer: Option<&str>, token: Option<&str>, proxied: bool) -> Answer {
    let mut request = Request::builder().uri("/metrics");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if proxied {
        request = request.header("x-forwarded-for", "127.0.0.1");
    }
    let mut request = request.body(Body::empty()).unwrap();
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    }
    bank.ask(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_for_this_machine_and_for_those_who_may() {
    let bank = Bank::open().await;
    bank.get(&bank.alice, "/accounts/3").await.expect(200);
    bank.get(&bank.alice, "/accounts/5").await.expect(404);
    let text = figures(&bank, Some("127.0.0.1:5000"), None, false).await.expect(200).text;
    for line in [
        "bankcore_http_requests_total{method=\"GET\",path=\"/api/v1/accounts/{id}\",status=\"200\"} 1",
        "bankcore_http_requests_total{method=\"GET\",path=\"/api/v1/accounts/{id}\",status=\"404\"} 1",
        "bankcore_http_request_seconds_count{method=\"GET\",path=\"/api/v1/accounts/{id}\"} 2",
        "bankcore_queue_depth 0",
        "bankcore_api_keys 6",
        "bankcore_poisoned 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
    for name in [
        "bankcore_sequence",
        "bankcore_journal_bytes",
        "bankcore_batch_size",
        "process_resident_memory_bytes",
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).expect(name);
        assert!(line.split_once(' ').unwrap().1.parse::<f64>().unwrap() > 0.0, "{line}");
    }
    assert!(!text.contains("alice"), "nothing about customers");
    assert_eq!(figures(&bank, Some("10.0.0.1:5000"), None, false).await.problem().0, 401);
    assert_eq!(figures(&bank, None, None, false).await.problem().0, 401);
    assert_eq!(figures(&bank, Some("127.0.0.1:5000"), None, true).await.problem().0, 401, "through a proxy");
    assert_eq!(figures(&bank, Some("10.0.0.1:5000"), Some(&bank.alice), false).await.problem().0, 403);
    for token in [&bank.admin, &bank.operations, &bank.auditor] {
        figures(&bank, Some("10.0.0.1:5000"), Some(token), false).await.expect(200);
    }
    bank.local(Method::GET, "/metrics").await.expect(200);
}
