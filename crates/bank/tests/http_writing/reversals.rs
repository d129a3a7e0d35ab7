//! Reversals: whole, in part, never more than the original.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

async fn paid(bank: &Bank) -> String {
    bank.fund(ALICE, "100.00").await;
    let body = json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "60.00", "currency": "BDT"});
    bank.post(&bank.alice, "/transactions/transfer").key("t").json(body).await.expect(201).id()
}

async fn reverse(bank: &Bank, id: &str, key: &str, body: Value) -> Answer {
    bank.post(&bank.operations, &format!("/transactions/{id}/reversal")).key(key).json(body).await
}

#[tokio::test]
async fn whole() {
    let bank = Bank::open().await;
    let id = paid(&bank).await;
    let body = json!({"description": "Sent to the wrong person", "reference": "CASE-1"});
    let answer = reverse(&bank, &id, "r", body.clone()).await;
    assert_snapshot!(answer.golden());
    assert_eq!(answer.value()["original_id"], *id);
    assert!(reverse(&bank, &id, "r", body).await.expect(201).replayed());
    assert_eq!(bank.balances(ALICE).await[0], "100.00");
    let again = reverse(&bank, &id, "r-2", json!({})).await;
    assert_snapshot!("already_reversed", again.golden());
    let of_reversal = reverse(&bank, &answer.id(), "r-3", json!({})).await;
    assert_eq!(of_reversal.problem(), (422, "not_reversible".into()));
    bank.check().await;
}

#[tokio::test]
async fn in_parts_within_the_original() {
    let bank = Bank::open().await;
    let id = paid(&bank).await;
    reverse(&bank, &id, "1", json!({"amount": "20.00"})).await.expect(201);
    let beyond = reverse(&bank, &id, "2", json!({"amount": "40.01"})).await;
    assert_snapshot!(beyond.golden());
    // Without a body: the rest.
    let rest = bank.post(&bank.operations, &format!("/transactions/{id}/reversal")).key("3").send().await;
    assert_eq!(rest.expect(201).value()["amount"], "40.00");
    assert_eq!(bank.balances(ALICE).await[0], "100.00");
    bank.check().await;
}

#[tokio::test]
async fn by_entries() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let entry = |account: &str, side: &str, amount: &str| json!({"account_id": account, "side": side, "amount": amount, "currency": "BDT"});
    let body = json!({"entries": [entry(ALICE, "debit", "50.00"), entry(BOB, "credit", "30.00"),
        entry(CAROL_SAVINGS, "credit", "20.00")]});
    let id = bank.post(&bank.operations, "/transactions").key("j").json(body).await.expect(201).id();
    let parts = |parts: &[(u8, &str)]| {
        let parts: Vec<_> = parts.iter().map(|(n, amount)| json!({"entry": n, "amount": amount})).collect();
        json!({"entries": parts})
    };
    for (body, status, code) in [
        (json!({"amount": "10.00"}), 422, "entries_required"),
        (parts(&[(0, "10.00")]), 422, "entries_required"),
        (parts(&[(0, "10.00"), (7, "10.00")]), 422, "entries_required"),
        (parts(&[(0, "10.00"), (0, "10.00")]), 422, "entries_required"),
        (parts(&[(0, "10.00"), (1, "9.00")]), 422, "unbalanced"),
        (parts(&[(0, "31.00"), (1, "31.00")]), 422, "reversal_exceeds_original"),
        (json!({"amount": "1.00", "entries": []}), 400, "malformed_request"),
        (json!({"entries": [{"entry": 256, "amount": "1.00"}]}), 400, "malformed_request"),
        (json!({"entries": [{"entry": -1, "amount": "1.00"}]}), 400, "malformed_request"),
    ] {
        let answer = reverse(&bank, &id, &body.to_string(), body.clone()).await;
        assert_eq!(answer.problem(), (status, code.into()), "{body}");
    }
    let answer = reverse(&bank, &id, "part", parts(&[(0, "10.00"), (2, "10.00")])).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(CAROL_SAVINGS).await[0], "10.00");
    bank.check().await;
}

#[tokio::test]
async fn only_transactions_are_reversed() {
    let bank = Bank::open().await;
    let before = bank.events();
    for id in ["0", "1", "999", "18446744073709551615"] {
        let answer = reverse(&bank, id, "r", json!({})).await;
        assert_eq!(answer.problem(), (404, "transaction_not_found".into()), "{id}");
    }
    for id in ["x", "-1", "1.5", "%20", "1%2F2"] {
        assert_eq!(reverse(&bank, id, "r", json!({})).await.problem().0, 400, "{id}");
    }
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn money_that_was_spent_meanwhile_is_not_taken_back() {
    let bank = Bank::open().await;
    let id = paid(&bank).await;
    let body =
        json!({"from_account_id": BOB, "to_account_id": CAROL_SAVINGS, "amount": "30.00", "currency": "BDT"});
    bank.post(&bank.bob, "/transactions/transfer").key("spent").json(body).await.expect(201);
    let answer = reverse(&bank, &id, "r", json!({})).await;
    assert_eq!(answer.problem(), (422, "insufficient_funds".into()));
    assert_eq!(bank.balances(BOB).await[0], "30.00");
}
