//! Every row of the case study's table of consistency rules, by each way to move money.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn moved(from: &str, to: &str, amount: &str) -> Value {
    json!({"from_account_id": from, "to_account_id": to, "amount": amount, "currency": "BDT"})
}

fn entries(debit: (&str, &str), credit: (&str, &str)) -> Value {
    let entry = |(account, amount): (&str, &str), side: &str| json!({"account_id": account, "side": side, "amount": amount, "currency": "BDT"});
    json!({"entries": [entry(debit, "debit"), entry(credit, "credit")]})
}

/// Account balance >= 0.
#[tokio::test]
async fn no_balance_falls_below_zero() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    for (path, body) in [
        (
            "/banker/withdrawals",
            json!({"account_id": ALICE, "amount": "100.01", "currency": "BDT",
            "drawer_account_id": DRAWER}),
        ),
        ("/transactions/transfer", moved(ALICE, BOB, "100.01")),
        ("/transactions", entries((ALICE, "100.01"), (BOB, "100.01"))),
        ("/holds", json!({"account_id": ALICE, "amount": "100.01", "currency": "BDT"})),
    ] {
        let answer = bank.admin(path).key(path).json(body).await;
        assert_eq!(answer.problem(), (422, "insufficient_funds".into()), "{path}");
        let body = answer.value();
        assert_eq!((&body["available"], &body["shortfall"]), (&json!("100.00"), &json!("0.01")));
    }
    assert_eq!(bank.balances(ALICE).await, ["100.00", "100.00", "0.00"]);
    bank.check().await;
}

/// Account must be active: neither frozen, nor pending, nor closed.
#[tokio::test]
async fn only_active_accounts_take_entries() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let wish =
        json!({"name": "new", "type": "liability", "currency": "BDT", "owner": "dan", "status": "pending"});
    let pending = bank.admin("/accounts").key("pending").json(wish).await.expect(201).id();
    let wish = json!({"name": "old", "type": "liability", "currency": "BDT", "owner": "dan"});
    let closed = bank.admin("/accounts").key("closed").json(wish).await.expect(201).id();
    bank.admin(&format!("/accounts/{closed}/close")).send().await.expect(200);
    bank.admin(&format!("/accounts/{BOB}/freeze")).send().await.expect(200);
    for (account, code) in
        [(BOB, "account_frozen"), (&pending, "account_pending"), (&closed, "account_closed")]
    {
        for (path, body) in [
            (
                "/banker/deposits",
                json!({"account_id": account, "amount": "1.00", "currency": "BDT",
                "drawer_account_id": DRAWER}),
            ),
            ("/transactions/transfer", moved(ALICE, account, "1.00")),
            ("/transactions", entries((ALICE, "1.00"), (account, "1.00"))),
            (
                "/holds",
                json!({"account_id": ALICE, "to_account_id": account, "amount": "1.00", "currency": "BDT"}),
            ),
        ] {
            let answer = bank.admin(path).key(&format!("{path} {account}")).json(body).await;
            assert_eq!(answer.problem(), (422, code.into()), "{path}");
            assert_eq!(answer.value()["account_id"], *account);
        }
    }
    assert_eq!(bank.balances(ALICE).await, ["100.00", "100.00", "0.00"]);
    bank.check().await;
}

/// Amount must be positive, and an amount is a decimal string with no more decimals than its currency.
#[tokio::test]
async fn amounts_are_positive_decimal_strings() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let before = bank.events();
    for (amount, status, code) in [
        (json!("0.00"), 422, "amount_not_positive"),
        (json!("-5.00"), 422, "amount_not_positive"),
        (json!("1.001"), 422, "too_many_decimals"),
        (json!("92233720368547758.08"), 422, "amount_too_large"),
        (json!("1e3"), 400, "malformed_request"),
        (json!("NaN"), 400, "malformed_request"),
        (json!("1,000.00"), 400, "malformed_request"),
        (json!(""), 400, "malformed_request"),
        (json!(5), 400, "malformed_request"),
        (json!(5.0), 400, "malformed_request"),
        (json!(null), 400, "malformed_request"),
    ] {
        for (path, body) in [
            (
                "/banker/deposits",
                json!({"account_id": ALICE, "amount": amount, "currency": "BDT",
                "drawer_account_id": DRAWER}),
            ),
            (
                "/transactions/transfer",
                json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": amount,
                "currency": "BDT"}),
            ),
            (
                "/transactions",
                json!({"entries": [
                {"account_id": ALICE, "side": "debit", "amount": amount, "currency": "BDT"},
                {"account_id": BOB, "side": "credit", "amount": "1.00", "currency": "BDT"}]}),
            ),
            ("/holds", json!({"account_id": ALICE, "amount": amount, "currency": "BDT"})),
        ] {
            let answer = bank.admin(path).key(&format!("{path} {amount}")).json(body).await;
            assert_eq!(answer.problem(), (status, code.into()), "{path} {amount}");
        }
    }
    assert_eq!(bank.events(), before, "nothing is recorded of what can never be accepted");
}

/// Debit sum = credit sum.
#[tokio::test]
async fn debits_equal_credits() {
    let bank = Bank::open().await;
    let before = bank.events();
    let answer = bank.admin("/transactions").key("u-1");
    let answer = answer.json(entries((DRAWER, "10.00"), (CAPITAL, "9.99"))).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.events(), before);
    bank.check().await;
}

/// Account must exist.
#[tokio::test]
async fn accounts_exist() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let before = bank.events();
    for nobody in ["0", "999", "18446744073709551615", "99999999999999999999999"] {
        for (path, body) in [
            (
                "/banker/deposits",
                json!({"account_id": nobody, "amount": "1.00", "currency": "BDT",
                "drawer_account_id": DRAWER}),
            ),
            ("/transactions/transfer", moved(ALICE, nobody, "1.00")),
            ("/transactions/transfer", moved(nobody, ALICE, "1.00")),
            ("/transactions", entries((ALICE, "1.00"), (nobody, "1.00"))),
            ("/holds", json!({"account_id": nobody, "amount": "1.00", "currency": "BDT"})),
        ] {
            let answer = bank.admin(path).key("n").json(body).await;
            assert_eq!(answer.problem(), (404, "account_not_found".into()), "{path} {nobody}");
        }
    }
    assert_eq!(bank.events(), before);
}
