//! Opening accounts, and changing their status and limits.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn wish(more: Value) -> Value {
    let mut body = json!({"name": "Dan, savings", "type": "liability", "currency": "BDT"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn step(bank: &Bank, token: &str, id: &str, step: &str) -> Answer {
    bank.post(token, &format!("/accounts/{id}/{step}")).send().await
}

#[tokio::test]
async fn opened_once() {
    let bank = Bank::open().await;
    let body = wish(json!({"owner": "dan", "number": "BD-77"}));
    let answer = bank.post(&bank.teller, "/accounts").key("o").json(body.clone()).await;
    assert_snapshot!(answer.golden());
    bank.admin(&format!("/accounts/{}/freeze", answer.id())).send().await.expect(200);
    let again = bank.post(&bank.teller, "/accounts").key("o").json(body.clone()).await;
    assert!(again.replayed());
    assert_eq!(again.text, answer.text, "the first answer again, whatever happened since");
    let taken = bank.post(&bank.teller, "/accounts").key("o-2").json(body).await;
    assert_eq!(taken.problem(), (422, "number_taken".into()));
}

#[tokio::test]
async fn a_wish_has_a_form() {
    let bank = Bank::open().await;
    let before = bank.events();
    let long = "x".repeat(129);
    for (more, status, code) in [
        (json!({"type": "wallet"}), 400, "malformed_request"),
        (json!({"status": "frozen"}), 400, "malformed_request"),
        (json!({"name": ""}), 400, "malformed_request"),
        (json!({"name": "a\u{7}b"}), 400, "malformed_request"),
        (json!({"name": long}), 422, "text_too_long"),
        (json!({"number": ""}), 422, "number_reserved"),
        (json!({"number": "BC0000000001"}), 422, "number_reserved"),
        (json!({"number": long}), 422, "text_too_long"),
        (json!({"currency": "XXX"}), 422, "unknown_currency"),
        (json!({"overdraft_limit": "-1.00"}), 422, "amount_not_positive"),
        (json!({"overdraft_limit": 0}), 400, "malformed_request"),
        (json!({"owner": "internal:payments"}), 400, "malformed_request"),
        (json!({"owner": "no such name"}), 400, "malformed_request"),
        (json!({"balance": "1000.00"}), 400, "malformed_request"),
    ] {
        let answer = bank.admin("/accounts").key("o").json(wish(more.clone())).await;
        assert_eq!(answer.problem(), (status, code.into()), "{more}");
    }
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn a_teller_opens_customers_accounts_without_an_overdraft() {
    let bank = Bank::open().await;
    let before = bank.events();
    for more in [
        json!({}),
        json!({"owner": "dan", "type": "asset"}),
        json!({"owner": "dan", "overdraft_limit": "1.00"}),
    ] {
        let answer = bank.post(&bank.teller, "/accounts").key("o").json(wish(more)).await;
        assert_eq!(answer.problem(), (403, "forbidden".into()));
    }
    assert_eq!(bank.events(), before, "no name was given a number either");
}

#[tokio::test]
async fn through_all_states() {
    let bank = Bank::open().await;
    let body = wish(json!({"owner": "dan", "status": "pending"}));
    let id = bank.admin("/accounts").key("o").json(body).await.expect(201).id();
    let frozen = json!({"reason": "Court order 17/2026"});
    for (how, outcome) in [
        ("unfreeze", Err("status_not_reachable")),
        ("freeze", Err("status_not_reachable")),
        ("activate", Ok("active")),
        ("activate", Err("status_not_reachable")),
        ("unfreeze", Err("status_not_reachable")),
        ("freeze", Ok("frozen")),
        ("activate", Err("status_not_reachable")),
        ("unfreeze", Ok("active")),
        ("close", Ok("closed")),
        ("unfreeze", Err("status_not_reachable")),
        ("freeze", Err("account_closed")),
        ("close", Err("account_closed")),
    ] {
        let answer = bank.admin(&format!("/accounts/{id}/{how}")).json(frozen.clone()).await;
        match outcome {
            Ok(status) => {
                assert_eq!(answer.status, 200, "{how}: {}", answer.text);
                assert_eq!(answer.value()["status"], status, "{how}");
                assert_eq!(answer.header("etag"), Some(&*format!("\"{}\"", answer.value()["version"])));
            }
            Err(code) => assert_eq!(answer.problem(), (422, code.into()), "{how}"),
        }
    }
}

#[tokio::test]
async fn a_change_sent_again_changes_nothing_twice() {
    let bank = Bank::open().await;
    let path = format!("/accounts/{ALICE}");
    for how in ["freeze", "unfreeze"] {
        let first = bank.admin(&format!("{path}/{how}")).key(how).send().await.expect(200);
        let again = bank.admin(&format!("{path}/{how}")).key(how).send().await.expect(200);
        assert!(again.replayed() && !first.replayed());
        assert_eq!(again.value()["version"], first.value()["version"]);
    }
    let late = bank.admin(&format!("{path}/freeze")).key("freeze").send().await.expect(200);
    assert_eq!((late.replayed(), &late.value()["status"]), (true, &json!("active")));
}

#[tokio::test]
async fn a_version_that_was_seen_must_still_stand() {
    let bank = Bank::open().await;
    let path = format!("/accounts/{ALICE}");
    let before = bank.events();
    for how in ["freeze", "close"] {
        let stale = bank.admin(&format!("{path}/{how}")).header("if-match", "\"7\"").send().await;
        assert_eq!(stale.problem(), (412, "version_differs".into()));
        let bad = bank.admin(&format!("{path}/{how}")).header("if-match", "seven").send().await;
        assert_eq!(bad.problem(), (400, "malformed_request".into()));
    }
    assert_eq!(bank.events(), before);
    bank.admin(&format!("{path}/freeze")).header("if-match", "\"1\"").send().await.expect(200);
    let stale = bank.admin(&format!("{path}/unfreeze")).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.problem(), (412, "version_differs".into()));
    bank.admin(&format!("{path}/unfreeze")).header("if-match", "\"2\"").send().await.expect(200);
}

#[tokio::test]
async fn limits_are_changed_on_a_version() {
    let bank = Bank::open().await;
    let path = format!("/accounts/{ALICE}/limits");
    let limit = json!({"overdraft_limit": "500.00"});
    let patch = |token: &str| bank.ask(Method::PATCH, token, &path);
    let blind = patch(&bank.admin).json(limit.clone()).await;
    assert_snapshot!("version_required", blind.golden());
    let teller = patch(&bank.teller).header("if-match", "\"1\"").json(limit.clone()).await;
    assert_eq!(teller.problem(), (403, "forbidden".into()));
    let done = patch(&bank.admin).header("if-match", "\"1\"").json(limit.clone()).await;
    assert_snapshot!("limits", done.golden());
    assert_eq!(bank.balances(ALICE).await, ["0.00", "500.00", "0.00"]);
    let body = json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "200.00", "currency": "BDT"});
    bank.post(&bank.alice, "/transactions/transfer").key("t").json(body).await.expect(201);
    let below = json!({"overdraft_limit": "199.99"});
    let answer = patch(&bank.admin).header("if-match", "\"3\"").json(below).await;
    assert_eq!(answer.problem(), (422, "limit_below_use".into()));
    let nobody = bank.ask(Method::PATCH, &bank.admin, "/accounts/999/limits").header("if-match", "\"1\"");
    assert_eq!(nobody.json(limit).await.problem(), (404, "account_not_found".into()));
}

#[tokio::test]
async fn an_account_with_money_or_holds_is_not_closed() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "10.00").await;
    assert_eq!(step(&bank, &bank.admin, ALICE, "close").await.problem(), (422, "account_not_empty".into()));
    let hold = json!({"account_id": ALICE, "to_account_id": BOB, "amount": "10.00", "currency": "BDT"});
    bank.post(&bank.alice, "/holds").key("h").json(hold).await.expect(201);
    assert_eq!(step(&bank, &bank.admin, BOB, "close").await.problem(), (422, "account_has_holds".into()));
    assert_eq!(step(&bank, &bank.admin, "999", "close").await.problem(), (404, "account_not_found".into()));
}
