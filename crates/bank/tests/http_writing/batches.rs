//! Batches: independent and atomic, as JSON and as lines.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

const LINES: &str = "application/x-ndjson";

fn transfer(from: &str, to: &str, amount: &str) -> Value {
    json!({"from_account_id": from, "to_account_id": to, "amount": amount, "currency": "BDT"})
}

fn keyed(key: &str, kind: &str, body: Value) -> Value {
    json!({"idempotency_key": key, kind: body})
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let results = answer.value()["results"].as_array().unwrap().clone();
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

async fn send(bank: &Bank, token: &str, commands: Vec<Value>) -> Answer {
    bank.post(token, "/transactions/batch").json(json!({"commands": commands})).await
}

#[tokio::test]
async fn each_command_has_its_own_outcome() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let answer = send(
        &bank,
        &bank.alice,
        vec![
            keyed("1", "transfer", transfer(ALICE, BOB, "10.00")),
            keyed("2", "transfer", transfer(ALICE, BOB, "1000.00")),
            json!({"transfer": transfer(ALICE, BOB, "10.00")}),
            keyed("4", "transfer", json!({"from_account_id": ALICE})),
            keyed("5", "transfer", transfer(BOB, ALICE, "10.00")),
            keyed("6", "transfer", transfer(ALICE, "999", "10.00")),
            keyed("1", "transfer", transfer(ALICE, BOB, "10.00")),
            keyed("1", "transfer", transfer(ALICE, BOB, "11.00")),
            keyed("9", "hold", json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"})),
            keyed("10", "deposit", json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"})),
            json!(17),
        ],
    )
    .await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(ALICE).await, ["90.00", "85.00", "5.00"]);
    bank.check().await;
}

#[tokio::test]
async fn all_kinds_of_commands() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let cash = json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT", "drawer_account_id": DRAWER});
    let hold = json!({"account_id": ALICE, "amount": "20.00", "currency": "BDT", "expires_in_seconds": 60});
    let entries = json!({"entries": [
        {"account_id": ALICE, "side": "debit", "amount": "1.00", "currency": "BDT"},
        {"account_id": BOB, "side": "credit", "amount": "1.00", "currency": "BDT"}]});
    let first = send(
        &bank,
        &bank.admin,
        vec![
            keyed("1", "transfer", transfer(ALICE, BOB, "10.00")),
            keyed("2", "deposit", cash.clone()),
            keyed("3", "withdrawal", cash),
            keyed("4", "entries", entries),
            keyed("5", "hold", hold.clone()),
            keyed("6", "hold", hold),
        ],
    )
    .await;
    assert_eq!(statuses(&first), [201; 6], "{}", first.text);
    let results = first.value()["results"].clone();
    let (paid, held, other) =
        (&results[0]["transaction"]["id"], &results[4]["hold"]["id"], &results[5]["hold"]["id"]);
    let second = vec![
        keyed("7", "capture", json!({"hold_id": held, "amount": "15.00", "to_account_id": BOB})),
        keyed("8", "void", json!({"hold_id": other})),
        keyed("9", "reversal", json!({"transaction_id": paid, "amount": "4.00"})),
        keyed("10", "void", json!({"hold_id": held})),
        keyed("11", "capture", json!({"hold_id": "999", "to_account_id": BOB})),
        keyed("12", "reversal", json!({"transaction_id": "999"})),
    ];
    let answer = send(&bank, &bank.admin, second.clone()).await;
    assert_snapshot!(answer.golden());
    let again = send(&bank, &bank.admin, second).await;
    assert_snapshot!("all_kinds_of_commands_replayed", again.golden());
    assert_eq!(bank.balances(ALICE).await, ["78.00", "78.00", "0.00"]);
    bank.check().await;
}

#[tokio::test]
async fn lines_in_and_lines_out() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let body = format!(
        "{}\n\n{}\r\nnot json\n{}",
        keyed("1", "transfer", transfer(ALICE, BOB, "10.00")),
        keyed("2", "transfer", transfer(ALICE, BOB, "1000.00")),
        keyed("3", "transfer", transfer(ALICE, BOB, "10.00")),
    );
    let answer = bank.post(&bank.alice, "/transactions/batch").body(LINES, body).send().await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(BOB).await[0], "20.00");
}

#[tokio::test]
async fn an_atomic_batch_happens_whole() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let body = json!({"atomic": true, "commands": [
        {"transfer": transfer(ALICE, BOB, "100.00")},
        {"idempotency_key": "member", "transfer": transfer(BOB, CAROL_SAVINGS, "100.00")}]});
    let path = "/transactions/batch";
    let answer = bank.admin(path).key("g").json(body.clone()).await;
    assert_snapshot!(answer.golden());
    let again = bank.admin(path).key("g").json(body).await;
    assert!(again.replayed());
    let unmarked = again.text.replace("\"replayed\":true,", "");
    assert_eq!(unmarked, answer.text);
    let other = json!({"atomic": true, "commands": [{"transfer": transfer(ALICE, BOB, "1.00")}]});
    assert_eq!(bank.admin(path).key("g").json(other).await.problem(), (422, "idempotency_key_reused".into()));
    let member =
        send(&bank, &bank.admin, vec![keyed("member", "transfer", transfer(BOB, CAROL_SAVINGS, "100.00"))]);
    assert_eq!(member.await.value()["results"][0]["replayed"], true, "a member's own key is registered");
    bank.check().await;
}

#[tokio::test]
async fn an_atomic_batch_is_refused_whole() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let path = "/transactions/batch";
    let body = json!({"atomic": true, "commands": [
        {"idempotency_key": "m", "transfer": transfer(ALICE, BOB, "60.00")},
        {"transfer": transfer(ALICE, CAROL_SAVINGS, "60.00")}]});
    let answer = bank.admin(path).key("g").json(body.clone()).await;
    assert_snapshot!(answer.golden());
    bank.fund(ALICE, "1000.00").await;
    let again = bank.admin(path).key("g").json(body).await;
    assert!(again.replayed());
    assert_eq!(again.problem(), (422, "batch_refused".into()));
    assert_eq!(bank.balances(BOB).await[0], "0.00");
    let free = send(&bank, &bank.admin, vec![keyed("m", "transfer", transfer(ALICE, BOB, "1.00"))]).await;
    assert_eq!(statuses(&free), [201], "the key of a member of a refused batch is free");

    let before = bank.events();
    for (command, status) in [
        (json!({"transfer": transfer(ALICE, "999", "1.00")}), 404),
        (json!({"transfer": {}}), 400),
        (json!({"transfer": transfer(ALICE, BOB, "0.00")}), 422),
        (json!({"void": {"hold_id": "999"}}), 404),
        (json!({"idempotency_key": "g2", "transfer": transfer(ALICE, BOB, "1.00")}), 422),
        (json!({"idempotency_key": "", "transfer": transfer(ALICE, BOB, "1.00")}), 400),
    ] {
        let body = json!({"atomic": true, "commands": [{"transfer": transfer(ALICE, BOB, "1.00")}, command]});
        let key = if status == 422 { "g2" } else { "g1" };
        let answer = bank.admin(path).key(key).json(body.clone()).await;
        assert_eq!(answer.problem(), (status, "batch_refused".into()), "{body}");
        assert_eq!(answer.value()["command"], 1);
        assert_eq!(answer.value()["cause"]["status"], status);
    }
    assert!(bank.events() <= before + 1, "only the key that stood twice is recorded");
    let theirs = json!({"atomic": true, "commands": [{"transfer": transfer(ALICE, BOB, "1.00")}]});
    let answer = bank.post(&bank.bob, path).key("g").json(theirs).await;
    assert_eq!(answer.problem(), (404, "batch_refused".into()));
    bank.check().await;
}

#[tokio::test]
async fn atomic_lines() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let line = |amount| json!({"transfer": transfer(ALICE, BOB, amount)}).to_string();
    let good = format!("{}\n{}\n", line("1.00"), line("2.00"));
    let path = "/transactions/batch?atomic=true";
    let answer = bank.admin(path).key("g").body(LINES, good.clone()).send().await.expect(200);
    assert_eq!((answer.header("content-type"), answer.text.lines().count()), (Some(LINES), 2));
    assert!(bank.admin(path).key("g").body(LINES, good.clone()).send().await.replayed());
    let bad = format!("{good}{}\n", line("1000.00"));
    let answer = bank.admin(path).key("b").body(LINES, bad).send().await;
    assert_eq!(answer.problem(), (422, "batch_refused".into()));
    assert_eq!(bank.balances(BOB).await[0], "3.00");
}

#[tokio::test]
async fn the_envelope_has_a_form() {
    let bank = Bank::open().await;
    let before = bank.events();
    let many = |count: usize| {
        let one = keyed("k", "transfer", transfer(ALICE, BOB, "1.00")).to_string();
        format!("{{\"commands\": [{}]}}", vec![one; count].join(","))
    };
    let path = "/transactions/batch";
    for (path, key, kind, body, status, code) in [
        (path, None, "application/json", "{\"commands\": []}".into(), 400, "malformed_request"),
        (path, None, LINES, "\n\n".into(), 400, "malformed_request"),
        (path, None, "application/json", "{}".into(), 400, "malformed_request"),
        (path, None, "application/json", "{\"commands\": 1}".into(), 400, "malformed_request"),
        (path, None, "application/json", "{\"commands\": [1".into(), 400, "malformed_request"),
        (path, None, "application/json", "{\"commands\": [], \"x\": 1}".into(), 400, "malformed_request"),
        (
            path,
            None,
            "application/json",
            "{\"atomic\": \"yes\", \"commands\": []}".into(),
            400,
            "malformed_request",
        ),
        (
            path,
            None,
            "application/json",
            "{\"commands\": [], \"commands\": []}".into(),
            400,
            "malformed_request",
        ),
        (path, None, "text/plain", many(1), 415, "unsupported_media_type"),
        (path, Some("k"), "application/json", many(1), 400, "malformed_request"),
        (
            path,
            None,
            "application/json",
            many(1).replacen('{', "{\"atomic\": true, ", 1),
            400,
            "idempotency_key_missing",
        ),
        (path, None, "application/json", many(8_193), 413, "batch_too_large"),
        (path, None, LINES, "{}\n".repeat(8_193), 413, "batch_too_large"),
        (path, None, "application/json", " ".repeat((4 << 20) + 1), 413, "body_too_large"),
        ("/transactions/batch?atomic=true", None, "application/json", many(1), 400, "malformed_request"),
        ("/transactions/batch?atomic=1", None, LINES, "{}".into(), 400, "malformed_request"),
        ("/transactions/batch?other=1", None, LINES, "{}".into(), 400, "malformed_request"),
    ] {
        let ask = bank.admin(path).body(kind, body.clone());
        let ask = if let Some(key) = key { ask.key(key) } else { ask };
        let answer = ask.send().await;
        let shown: String = body.chars().take(100).collect();
        assert_eq!(answer.problem(), (status, code.into()), "{path} {shown}: {}", answer.text);
    }
    let auditor = bank.post(&bank.auditor, path).text(&many(1)).await;
    assert_eq!(auditor.problem(), (403, "forbidden".into()));
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn a_bad_command_is_its_own_result() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "10.00").await;
    let good = |n: usize| keyed(&format!("g{n}"), "transfer", transfer(ALICE, BOB, "0.01")).to_string();
    let bad = [
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"transfer\"".to_owned(),
        "{\"idempotency_key\": \"k\"}".to_owned(),
        "{\"idempotency_key\": \"k\", \"transfer\": null}".to_owned(),
        "{\"idempotency_key\": 1, \"transfer\": {}}".to_owned(),
        "{\"idempotency_key\": \"k\", \"idempotency_key\": \"k\", \"void\": {\"hold_id\": \"1\"}}".to_owned(),
        "{\"idempotency_key\": \"k\", \"void\": {\"hold_id\": \"1\"}, \"void\": {\"hold_id\": \"1\"}}"
            .to_owned(),
        "{\"idempotency_key\": \"k\", \"void\": {\"hold_id\": \"1\"}, \"capture\": {\"hold_id\": \"1\"}}"
            .to_owned(),
        "{\"idempotency_key\": \"k\", \"void\": {\"hold_id\": 1}}".to_owned(),
        "{\"idempotency_key\": \"k\", \"open_account\": {}}".to_owned(),
        format!("{{\"idempotency_key\": \"{}\", \"void\": {{\"hold_id\": \"1\"}}}}", "k".repeat(256)),
        format!(
            "{{\"idempotency_key\": \"k\", \"transfer\": {}1{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        ),
    ];
    let commands: Vec<String> = bad.iter().enumerate().flat_map(|(n, bad)| [good(n), bad.clone()]).collect();
    let body = format!("{{\"commands\": [{}]}}", commands.join(","));
    let answer = bank.admin("/transactions/batch").text(&body).await.expect(200);
    for (index, status) in statuses(&answer).into_iter().enumerate() {
        let expected = if index % 2 == 0 { 201 } else { 400 };
        assert_eq!(status, expected, "{}: {}", commands[index], answer.value()["results"][index]);
    }
    assert_eq!(bank.balances(BOB).await[0], format!("0.{}", bad.len()));
    let lines = bank.admin("/transactions/batch").body(LINES, commands.join("\n")).send().await.expect(200);
    let in_json: Vec<Value> = answer.value()["results"].as_array().unwrap().clone();
    for (line, result) in lines.text.lines().zip(&in_json) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["status"], result["status"]);
    }
}

/// The largest batch, twice: all posted once.
#[tokio::test(flavor = "multi_thread")]
async fn eight_thousand_at_once() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let commands: Vec<Value> = (0..8_192)
        .map(|n| keyed(&format!("payroll-{n}"), "transfer", transfer(ALICE, BOB, "0.01")))
        .collect();
    let answer = send(&bank, &bank.admin, commands.clone()).await.expect(200);
    assert!(statuses(&answer).iter().all(|status| *status == 201));
    let again = send(&bank, &bank.admin, commands).await.expect(200);
    assert_eq!(again.text.replace("\"replayed\":true,", ""), answer.text);
    assert_eq!(bank.balances(BOB).await[0], "81.92");
    bank.check().await;
}

#[tokio::test]
async fn a_batch_counts_by_its_commands_in_the_quota() {
    let settings = bank::service::Settings { quota: (1, 100), ..Default::default() };
    let bank = Bank::with(settings).await;
    let commands = |from: usize| {
        (from..from + 60).map(|n| keyed(&format!("{n}"), "transfer", transfer(ALICE, BOB, "0.01"))).collect()
    };
    send(&bank, &bank.bob, commands(0)).await.expect(200);
    let before = bank.events();
    let answer = send(&bank, &bank.bob, commands(60)).await;
    assert_eq!(answer.problem(), (429, "quota_exceeded".into()));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(bank.events(), before);
}
