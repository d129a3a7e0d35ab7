//! The five case studies, over the interface.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn cash(account: &str, amount: &str) -> Value {
    json!({"account_id": account, "amount": amount, "currency": "BDT", "description": "Cash over the counter"})
}

/// Case study 1: a teller deposits BDT 10,000 into Alice's savings account.
#[tokio::test]
async fn a_deposit() {
    let bank = Bank::open().await;
    let answer = bank.post(&bank.teller, "/banker/deposits").key("d-1").json(cash(ALICE, "10000.00")).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(ALICE).await, ["10000.00", "10000.00", "0.00"]);
    assert_eq!(bank.balances(DRAWER).await[0], "1010000.00");
    bank.check().await;
}

/// Case study 2: a teller pays BDT 5,000 out of Bob's account.
#[tokio::test]
async fn a_withdrawal() {
    let bank = Bank::open().await;
    bank.fund(BOB, "8000.00").await;
    let answer = bank.post(&bank.teller, "/banker/withdrawals").key("w-1").json(cash(BOB, "5000.00")).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(BOB).await[0], "3000.00");
    bank.check().await;
}

/// Case study 2, the other outcome: Bob has BDT 3,000 only.
#[tokio::test]
async fn a_withdrawal_beyond_the_balance_moves_nothing() {
    let bank = Bank::open().await;
    bank.fund(BOB, "3000.00").await;
    let answer = bank.post(&bank.teller, "/banker/withdrawals").key("w-1").json(cash(BOB, "5000.00")).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(BOB).await[0], "3000.00");
    assert_eq!(bank.balances(DRAWER).await[0], "1003000.00");
    bank.check().await;
}

fn rent() -> Value {
    json!({"from_account_id": CAROL_SAVINGS, "to_account_id": CAROL_CHECKING, "amount": "2000.00",
        "currency": "BDT", "description": "Rent", "reference": "INV-7"})
}

/// Case study 3: Carol transfers BDT 2,000 from her savings to her checking account, and sends it twice.
#[tokio::test]
async fn a_transfer_and_its_retry() {
    let bank = Bank::open().await;
    bank.fund(CAROL_SAVINGS, "5000.00").await;
    bank.fund(CAROL_CHECKING, "500.00").await;
    let first = bank.post(&bank.carol, "/transactions/transfer").key("uuid-12345").json(rent()).await;
    assert_snapshot!(first.golden());
    let again = bank.post(&bank.carol, "/transactions/transfer").key("\"uuid-12345\"").json(rent()).await;
    assert!(again.replayed() && !first.replayed());
    assert_eq!((again.status, again.text), (first.status, first.text));
    assert_eq!(bank.balances(CAROL_SAVINGS).await[0], "3000.00");
    assert_eq!(bank.balances(CAROL_CHECKING).await[0], "2500.00");
    bank.check().await;
}

/// Case study 4: a transfer that fails after its first half was looked at leaves nothing behind.
#[tokio::test]
async fn a_failed_transfer_leaves_nothing() {
    let bank = Bank::open().await;
    bank.fund(CAROL_SAVINGS, "5000.00").await;
    bank.admin(&format!("/accounts/{CAROL_CHECKING}/freeze")).send().await.expect(200);
    let answer = bank.post(&bank.carol, "/transactions/transfer").key("t-1").json(rent()).await;
    assert_snapshot!(answer.golden());
    assert_eq!(bank.balances(CAROL_SAVINGS).await, ["5000.00", "5000.00", "0.00"]);
    assert_eq!(bank.balances(CAROL_CHECKING).await, ["0.00", "0.00", "0.00"]);
    bank.check().await;
}

/// Case study 5: two tellers withdraw 8,000 and 7,000 from 10,000 at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_tellers_at_once_exactly_one_pays() {
    let bank = Bank::open().await;
    for round in 0..20 {
        bank.fund(ALICE, &format!("{}.00", 10_000 - if round == 0 { 0 } else { rest(&bank).await })).await;
        assert_eq!(bank.balances(ALICE).await[0], "10000.00");
        let first = bank.post(&bank.teller, "/banker/withdrawals").key(&format!("a-{round}"));
        let second = bank.post(&bank.other_teller, "/banker/withdrawals").key(&format!("b-{round}"));
        let (first, second) =
            tokio::join!(first.json(cash(ALICE, "8000.00")), second.json(cash(ALICE, "7000.00")));
        let mut answers = [(first.status, 8_000), (second.status, 7_000)];
        answers.sort_unstable();
        let [(paid, amount), (refused, _)] = answers;
        assert_eq!((paid, refused), (201, 422), "{} {}", first.text, second.text);
        assert_eq!(bank.balances(ALICE).await[0], format!("{}.00", 10_000 - amount));
    }
    bank.check().await;
}

async fn rest(bank: &Bank) -> i64 {
    bank.balances(ALICE).await[0].strip_suffix(".00").unwrap().parse().unwrap()
}
