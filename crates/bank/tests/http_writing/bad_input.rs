//! Whatever is sent, the answer is a clear problem, and nothing is recorded.

use serde_json::{Value, json};

use crate::bank::*;

/// A good body for every endpoint that takes one.
fn good() -> Vec<(&'static str, Value)> {
    let cash = json!({"account_id": ALICE, "amount": "1.00", "currency": "BDT", "description": "d",
        "reference": "r", "drawer_account_id": DRAWER, "value_date": "2026-11-22"});
    vec![
        ("/banker/deposits", cash.clone()),
        ("/banker/withdrawals", cash),
        (
            "/transactions/transfer",
            json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT",
                "description": "d", "reference": "r", "value_date": "2026-11-22"}),
        ),
        (
            "/transactions",
            json!({"entries": [{"account_id": ALICE, "side": "debit", "amount": "1.00", "currency": "BDT"},
                {"account_id": BOB, "side": "credit", "amount": "1.00", "currency": "BDT"}],
                "description": "d", "reference": "r"}),
        ),
        ("/transactions/999/reversal", json!({"amount": "1.00", "description": "d"})),
        (
            "/holds",
            json!({"account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT",
                "expires_at": "2026-11-22T00:00:00Z", "description": "d"}),
        ),
        ("/holds/999/capture", json!({"amount": "1.00", "to_account_id": BOB})),
        ("/holds/999/void", json!({"description": "d"})),
        (
            "/accounts",
            json!({"name": "n", "type": "liability", "currency": "BDT", "owner": "dan", "number": "N1",
                "overdraft_limit": "0.00", "status": "active"}),
        ),
        ("/accounts/999/freeze", json!({"reason": "r"})),
    ]
}

async fn refused(bank: &Bank, path: &str, kind: &str, body: impl Into<Vec<u8>>, status: u16, what: &str) {
    let answer = bank.admin(path).key("k").body(kind, body).send().await;
    assert_eq!(answer.problem().0, status, "{path}, {what}: {}", answer.text);
    assert!(answer.text.len() < 2_000, "{path}, {what}: a short answer, not {} bytes", answer.text.len());
}

const JSON: &str = "application/json";

#[tokio::test]
async fn bodies_are_strict() {
    let bank = Bank::open().await;
    let before = bank.events();
    for (path, body) in good() {
        let fields = body.as_object().unwrap();
        let with = |name: &str, value: Value| {
            let mut body = body.clone();
            body[name] = value;
            body.to_string()
        };
        refused(&bank, path, JSON, with("surprise", json!("1")), 400, "an unknown field").await;
        for name in fields.keys() {
            for value in [json!(1), json!(-1.5), json!(true), json!({}), json!([1])] {
                let what = format!("{name} is {value}");
                refused(&bank, path, JSON, with(name, value), 400, &what).await;
            }
            let again = format!("{{\"{name}\": {}, {}", fields[name], &body.to_string()[1..]);
            refused(&bank, path, JSON, again, 400, &format!("{name} is there twice")).await;
        }
        for name in ["description", "reason", "name"] {
            if fields.contains_key(name) {
                for text in ["a\u{0}b", "a\nb", "a\u{1b}[31m", "a\u{85}b"] {
                    refused(&bank, path, JSON, with(name, text.into()), 400, "a control character").await;
                }
            }
        }
    }
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn broken_bodies_are_told_apart_from_good_ones() {
    let bank = Bank::open().await;
    let before = bank.events();
    for (path, body) in good() {
        let text = body.to_string();
        for end in 1..text.len() {
            refused(&bank, path, JSON, &text.as_bytes()[..end], 400, "the body ends early").await;
        }
        refused(&bank, path, JSON, format!("{text}{text}"), 400, "two bodies").await;
        refused(&bank, path, JSON, format!("\u{feff}{text}"), 400, "a byte order mark").await;
        refused(&bank, path, JSON, "[]", 400, "a list").await;
        refused(&bank, path, JSON, "null", 400, "null").await;
        let name = body.as_object().unwrap().keys().next().unwrap();
        let nested = format!("{{\"{name}\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        refused(&bank, path, JSON, nested, 400, "deep nesting").await;
        let bytes = [b"{\"", name.as_bytes(), b"\": \"\xff\xfe\"}"].concat();
        refused(&bank, path, JSON, bytes, 400, "not UTF-8").await;
        refused(&bank, path, JSON, vec![b' '; (1 << 20) + 1], 413, "a huge body").await;
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", ""] {
            refused(&bank, path, kind, text.clone(), 415, kind).await;
        }
        let packed = bank.admin(path).key("k").header("content-encoding", "gzip");
        assert_eq!(packed.text(&text).await.problem().0, 415, "{path}");
    }
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn texts_have_limits() {
    let bank = Bank::open().await;
    let before = bank.events();
    for (name, bytes, status) in [
        ("reference", 129, 422),
        ("reference", 100_000, 422),
        ("description", 513, 422),
        ("value_date", 5_000, 400),
        ("currency", 5_000, 422),
    ] {
        let mut body =
            json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT"});
        body[name] = "x".repeat(bytes).into();
        refused(&bank, "/transactions/transfer", JSON, body.to_string(), status, name).await;
    }
    assert_eq!(bank.events(), before);
}

/// The limits themselves are within, and an empty text counts as absent.
#[tokio::test]
async fn the_longest_texts_are_kept_whole() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "10.00").await;
    let (reference, description) = ("ü".repeat(64), "৳\"\\".repeat(102));
    let body = json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT",
        "reference": reference, "description": description});
    let answer = bank.post(&bank.alice, "/transactions/transfer").key("k").json(body).await.expect(201);
    assert_eq!(
        (&answer.value()["reference"], &answer.value()["description"]),
        (&json!(reference), &json!(description))
    );
    let body = json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT",
        "reference": "", "description": ""});
    let answer = bank.post(&bank.alice, "/transactions/transfer").key("e").json(body).await.expect(201);
    assert_eq!((answer.value().get("reference"), answer.value().get("description")), (None, None));
}

#[tokio::test]
async fn value_dates_have_a_form_and_a_range() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "10.00").await;
    for (date, status, code) in [
        ("2026-02-30", 400, "malformed_request"),
        ("22.11.2026", 400, "malformed_request"),
        ("2026-11-22T00:00:00Z", 400, "malformed_request"),
        ("1970-01-01", 422, "value_date_out_of_range"),
        ("9999-12-31", 422, "value_date_out_of_range"),
    ] {
        let body = json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT",
            "value_date": date});
        let answer = bank.post(&bank.alice, "/transactions/transfer").key(date).json(body).await;
        assert_eq!(answer.problem(), (status, code.into()), "{date}");
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let bank = Bank::open().await;
    for (path, status) in [("/transactions/1/2/3", 404), ("/nothing", 404), ("/banker/deposits/1", 404)] {
        assert_eq!(bank.admin(path).key("k").json(json!({})).await.problem().0, status, "{path}");
    }
    assert_eq!(bank.get(&bank.admin, "/banker/deposits").await.problem().0, 405);
}
