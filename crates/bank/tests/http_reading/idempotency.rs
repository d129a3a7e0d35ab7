//! What became of a request, asked by its key.

use insta::assert_json_snapshot;
use serde_json::json;

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_can_be_asked_for() {
    let bank = Bank::open().await;
    bank.transfer(&bank.alice, "paid", "100.00", json!({"reference": "INV-1"})).await.expect(201);
    bank.transfer(&bank.alice, "too much", "1000000.00", json!({})).await.expect(422);
    let hold = json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"});
    let hold = bank.post(&bank.alice, "/holds", "held", hold).await.expect(201).id();
    bank.post(&bank.alice, &format!("/holds/{hold}/void"), "void", json!({})).await.expect(200);
    let transfer =
        json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT"});
    let batch = json!({"atomic": true, "commands": [{"transfer": transfer}, {"transfer": transfer}]});
    bank.post(&bank.alice, "/transactions/batch", "both", batch).await.expect(200);
    for (name, key) in [
        ("posted", "paid"),
        ("refused", "too%20much"),
        ("held", "held"),
        ("voided", "void"),
        ("batch", "both"),
    ] {
        let answer = bank.get(&bank.alice, &format!("/idempotency/{key}")).await.expect(200);
        assert_json_snapshot!(name, bank.golden(&answer));
    }
    let opened = bank.get(&bank.admin, "/idempotency/Drawer").await.expect(200).value();
    assert_eq!((&opened["status"], &opened["account"]["id"]), (&json!("account_opened"), &json!("1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn not_decided_never_means_failed() {
    let bank = Bank::open().await;
    let answer = bank.get(&bank.alice, "/idempotency/new").await;
    assert_eq!(answer.problem(), (404, "key_not_decided".into()));
    assert_json_snapshot!(bank.golden(&answer));
    let long = "x".repeat(256);
    for key in ["%C3%A9", "%00", long.as_str()] {
        let answer = bank.get(&bank.alice, &format!("/idempotency/{key}")).await;
        assert_eq!(answer.problem(), (400, "idempotency_key_malformed".into()));
    }
    // A key may hold whatever can be printed.
    bank.transfer(&bank.alice, "a/b?c#d%e", "1.00", json!({})).await.expect(201);
    bank.get(&bank.alice, "/idempotency/a%2Fb%3Fc%23d%25e").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_principal() {
    let bank = Bank::open().await;
    bank.transfer(&bank.alice, "paid", "100.00", json!({})).await.expect(201);
    let other = bank.get(&bank.bob, "/idempotency/paid").await;
    assert_eq!(other.problem(), (404, "key_not_decided".into()), "the same text of another is another key");
    for token in [&bank.bob, &bank.teller] {
        let other = bank.get(token, "/idempotency/paid?principal=alice").await;
        assert_eq!(other.problem(), (404, "not_found".into()));
    }
    for token in [&bank.admin, &bank.operations, &bank.auditor] {
        let found = bank.get(token, "/idempotency/paid?principal=alice").await.expect(200).value();
        assert_eq!(found["transaction"]["amount"], "100.00");
        let none = bank.get(token, "/idempotency/paid?principal=nobody").await;
        assert_eq!(none.problem(), (404, "key_not_decided".into()));
    }
    // A restart forgets nothing, and another API key of the principal sees the same.
    bank.get(&bank.alice, "/idempotency/paid?principal=alice").await.expect(200);
}
