//! The life of a hold: placed, then captured, voided or expired.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn wish(more: &[(&str, Value)]) -> Value {
    let mut body = json!({"account_id": ALICE, "amount": "50.00", "currency": "BDT", "reference": "AUTH-9"});
    for (name, value) in more {
        body[*name] = value.clone();
    }
    body
}

async fn placed(bank: &Bank, more: &[(&str, Value)]) -> String {
    bank.fund(ALICE, "100.00").await;
    bank.post(&bank.alice, "/holds").key("h").json(wish(more)).await.expect(201).id()
}

async fn end(bank: &Bank, token: &str, id: &str, how: &str, key: &str, body: Value) -> Answer {
    bank.post(token, &format!("/holds/{id}/{how}")).key(key).json(body).await
}

#[tokio::test]
async fn captured_in_part() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let more = [("to_account_id", json!(BOB)), ("expires_in_seconds", json!(3600))];
    let answer = bank.post(&bank.alice, "/holds").key("h").json(wish(&more)).await;
    assert_snapshot!("placed", answer.golden());
    let id = answer.id();
    assert_eq!(bank.balances(ALICE).await, ["100.00", "50.00", "50.00"]);

    let captured = end(&bank, &bank.alice, &id, "capture", "c", json!({"amount": "45.00"})).await;
    assert_snapshot!("capture", captured.golden());
    assert_eq!(bank.balances(ALICE).await, ["55.00", "55.00", "0.00"]);
    assert_eq!(bank.balances(BOB).await, ["45.00", "45.00", "0.00"]);
    let again = end(&bank, &bank.alice, &id, "capture", "c", json!({"amount": "45.00"})).await;
    assert!(again.replayed());
    assert_eq!(again.text, captured.text);

    let read = bank.get(&bank.alice, &format!("/holds/{id}")).await;
    assert_snapshot!("captured", read.golden());
    assert_eq!(read.value()["ended_by"], *captured.id());
    let too_late = end(&bank, &bank.alice, &id, "void", "v", json!({})).await;
    assert_snapshot!("void_after_capture", too_late.golden());
    let replay = end(&bank, &bank.alice, &id, "void", "v", json!({})).await;
    assert!(replay.replayed());
    assert_eq!(replay.value()["ended"], "captured");
    bank.check().await;
}

#[tokio::test]
async fn voided() {
    let bank = Bank::open().await;
    let id = placed(&bank, &[]).await;
    let answer = end(&bank, &bank.alice, &id, "void", "v", json!({"description": "Order cancelled"})).await;
    assert_snapshot!(answer.golden());
    let again = end(&bank, &bank.alice, &id, "void", "v", json!({"description": "Order cancelled"})).await;
    assert!(again.replayed());
    assert_eq!(again.text, answer.text);
    assert_eq!(bank.get(&bank.alice, &format!("/holds/{id}")).await.text, answer.text);
    assert_eq!(bank.balances(ALICE).await, ["100.00", "100.00", "0.00"]);
}

#[tokio::test]
async fn expired() {
    let bank = Bank::open().await;
    let id = placed(&bank, &[("expires_in_seconds", json!(1))]).await;
    assert_eq!(bank.get(&bank.alice, &format!("/holds/{id}")).await.value()["status"], "open");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let answer = end(&bank, &bank.alice, &id, "capture", "c", json!({"to_account_id": BOB})).await;
    assert_eq!(answer.problem().0, 422);
    assert_eq!(answer.value()["ended"], "expired");
    let read = bank.get(&bank.alice, &format!("/holds/{id}")).await;
    assert_snapshot!(read.golden());
    assert_eq!(bank.balances(ALICE).await, ["100.00", "100.00", "0.00"]);
}

/// A retry comes later than the first try: "in an hour" is another moment then, and the same intent.
#[tokio::test]
async fn a_life_in_seconds_is_the_same_intent_when_it_is_sent_again() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let more = [("expires_in_seconds", json!(3600))];
    let first = bank.post(&bank.alice, "/holds").key("h").json(wish(&more)).await.expect(201);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let again = bank.post(&bank.alice, "/holds").key("h").json(wish(&more)).await.expect(201);
    assert!(again.replayed());
    assert_eq!(again.text, first.text);
    let other = [("expires_in_seconds", json!(3601))];
    let other = bank.post(&bank.alice, "/holds").key("h").json(wish(&other)).await;
    assert_eq!(other.problem(), (422, "idempotency_key_reused".into()));
}

#[tokio::test]
async fn an_end_lies_ahead_and_is_named_once() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let before = bank.events();
    for (more, status, code) in [
        (vec![("expires_at", json!("2020-01-01T00:00:00Z"))], 422, "hold_too_long"),
        (vec![("expires_at", json!("1950-01-01T00:00:00Z"))], 422, "hold_too_long"),
        (vec![("expires_at", json!("9999-01-01T00:00:00Z"))], 422, "hold_too_long"),
        (vec![("expires_in_seconds", json!(u32::MAX))], 422, "hold_too_long"),
        (vec![("expires_in_seconds", json!(0))], 422, "hold_too_long"),
        (vec![("expires_in_seconds", json!(-1))], 400, "malformed_request"),
        (vec![("expires_in_seconds", json!("60"))], 400, "malformed_request"),
        (vec![("expires_at", json!("tomorrow"))], 400, "malformed_request"),
        (vec![("expires_at", json!("2026-11-22"))], 400, "malformed_request"),
        (vec![("value_date", json!("2026-11-22"))], 400, "malformed_request"),
        (
            vec![("expires_at", json!("9999-01-01T00:00:00Z")), ("expires_in_seconds", json!(1))],
            400,
            "malformed_request",
        ),
    ] {
        let answer = bank.post(&bank.alice, "/holds").key("h").json(wish(&more)).await;
        assert_eq!(answer.problem(), (status, code.into()), "{more:?}");
    }
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn a_capture_stays_within_its_hold() {
    let bank = Bank::open().await;
    let id = placed(&bank, &[("to_account_id", json!(BOB))]).await;
    for (body, status, code) in [
        (json!({"amount": "50.01"}), 422, "capture_exceeds_hold"),
        (json!({"amount": "0.00"}), 422, "amount_not_positive"),
        (json!({"to_account_id": CAROL_SAVINGS}), 422, "destination_differs"),
        (json!({"amount": 1}), 400, "malformed_request"),
    ] {
        let answer = end(&bank, &bank.alice, &id, "capture", &body.to_string(), body.clone()).await;
        assert_eq!(answer.problem(), (status, code.into()), "{body}");
    }
    assert_eq!(bank.balances(ALICE).await, ["100.00", "50.00", "50.00"]);
}

/// What is not there and what is somebody else's are answered alike, to the letter.
#[tokio::test]
async fn other_peoples_holds_are_hidden() {
    let bank = Bank::open().await;
    let id = placed(&bank, &[]).await;
    let text = |answer: Answer| {
        let mut body = answer.value();
        body["request_id"] = Value::Null;
        (answer.status, body.to_string().replace(&id, "N").replace("999", "N"))
    };
    for how in ["capture", "void"] {
        let theirs = end(&bank, &bank.bob, &id, how, "k", json!({})).await;
        assert_eq!(theirs.problem(), (404, "hold_not_found".into()));
        assert_eq!(text(theirs), text(end(&bank, &bank.bob, "999", how, "k", json!({})).await));
    }
    let theirs = bank.get(&bank.bob, &format!("/holds/{id}")).await;
    assert_eq!(text(theirs), text(bank.get(&bank.bob, "/holds/999").await));
    assert_eq!(bank.get(&bank.auditor, &format!("/holds/{id}")).await.status, 200);
    assert_eq!(end(&bank, &bank.auditor, &id, "void", "k", json!({})).await.status, 403);
    let by_bank = end(&bank, &bank.teller, &id, "void", "k", json!({})).await;
    by_bank.expect(200);
}

/// A merchant's hold, or the bank's, is not the customer's to give up.
#[tokio::test]
async fn a_customer_ends_only_their_own_holds() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let id = bank.post(&bank.teller, "/holds").key("h").json(wish(&[])).await.expect(201).id();
    let answer = end(&bank, &bank.alice, &id, "void", "v", json!({})).await;
    assert_eq!(answer.problem(), (403, "forbidden".into()));
    assert_eq!(bank.get(&bank.alice, &format!("/holds/{id}")).await.value()["status"], "open");
}
