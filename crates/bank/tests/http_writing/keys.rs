//! Idempotency keys: the same intent posts once.

use bank::identity::Role;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn pay(amount: &str) -> Value {
    json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": amount, "currency": "BDT"})
}

#[tokio::test]
async fn a_money_request_without_a_key_is_refused() {
    let bank = Bank::open().await;
    let answer = bank.post(&bank.alice, "/transactions/transfer").json(pay("1.00")).await;
    assert_snapshot!(answer.golden());
}

#[tokio::test]
async fn a_key_has_a_form() {
    let bank = Bank::open().await;
    let long = "k".repeat(256);
    for (key, code) in [
        ("", "idempotency_key_malformed"),
        ("\"\"", "idempotency_key_malformed"),
        (long.as_str(), "idempotency_key_malformed"),
        ("caf\u{e9}", "idempotency_key_malformed"),
    ] {
        let answer = bank.post(&bank.alice, "/transactions/transfer").key(key).json(pay("1.00")).await;
        assert_eq!(answer.problem(), (400, code.into()), "{key}");
    }
    let twice = bank.post(&bank.alice, "/transactions/transfer").key("a").key("b").json(pay("1.00")).await;
    assert_eq!(twice.problem(), (400, "malformed_request".into()));
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await.expect(201);
    let other = bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("2.00")).await;
    assert_snapshot!(other.golden());
    let hold = json!({"account_id": ALICE, "amount": "1.00", "currency": "BDT"});
    let other_kind = bank.post(&bank.alice, "/holds").key("k").json(hold).await;
    assert_eq!(other_kind.problem(), (422, "idempotency_key_reused".into()));
    assert_eq!(bank.balances(BOB).await[0], "1.00");
}

#[tokio::test]
async fn a_refusal_by_the_books_is_replayed_even_when_the_money_is_there_now() {
    let bank = Bank::open().await;
    let first = bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await;
    assert_eq!(first.problem(), (422, "insufficient_funds".into()));
    bank.fund(ALICE, "100.00").await;
    let again = bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await;
    assert_snapshot!(again.golden());
    assert_eq!(bank.balances(BOB).await[0], "0.00");
}

#[tokio::test]
async fn what_can_never_be_accepted_leaves_its_key_free() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let nobody =
        json!({"from_account_id": ALICE, "to_account_id": "999", "amount": "1.00", "currency": "BDT"});
    let answer = bank.post(&bank.alice, "/transactions/transfer").key("k").json(nobody).await;
    assert_eq!(answer.problem(), (404, "account_not_found".into()));
    bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await.expect(201);
}

#[tokio::test]
async fn keys_belong_to_principals_not_to_credentials() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await.expect(201);
    let rotated = bank.new_key("alice", Role::Customer, &[4]).await;
    let again = bank.post(&rotated, "/transactions/transfer").key("k").json(pay("1.00")).await;
    assert!(again.expect(201).replayed());
    let back = json!({"from_account_id": BOB, "to_account_id": ALICE, "amount": "1.00", "currency": "BDT"});
    let same_key = bank.post(&bank.bob, "/transactions/transfer").key("k").json(back).await;
    assert!(!same_key.expect(201).replayed(), "another principal's key is another key");
}

/// A replay is shown as its reader may see it, not as the first one did.
#[tokio::test]
async fn a_reader_sees_balances_of_their_own_accounts_only() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let answer = bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")).await.value();
    assert_eq!(answer["entries"][0]["balance_after"], "99.00");
    assert_eq!(answer["entries"][1].get("balance_after"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_many_times_at_once_posts_once() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let sent = (0..32).map(|_| bank.post(&bank.alice, "/transactions/transfer").key("k").json(pay("1.00")));
    let answers = futures::future::join_all(sent).await;
    let first = answers.iter().filter(|answer| !answer.replayed()).count();
    assert!(answers.iter().all(|answer| answer.status == 201));
    assert_eq!(first, 1);
    assert_eq!(bank.balances(BOB).await[0], "1.00");
}
