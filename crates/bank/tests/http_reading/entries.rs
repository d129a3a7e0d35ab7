//! An account's history, page by page.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn balances(items: &[Value]) -> Vec<i64> {
    let cents = |item: &Value| item["balance_after"].as_str().unwrap().replace('.', "").parse().unwrap();
    items.iter().map(cents).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_all_that_a_statement_shows() {
    let bank = Bank::open().await;
    let more = json!({"reference": "INV-7", "description": "Rent", "value_date": "2126-11-20"});
    bank.transfer(&bank.alice, "t", "2000.00", more).await.expect(201);
    let answer = bank.get(&bank.alice, "/accounts/3/entries").await.expect(200);
    assert_json_snapshot!(bank.golden(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ways_through_four_hundred_entries() {
    let bank = Bank::open().await;
    bank.transfers(399).await;
    for limit in [1, 7, 50, 64, 399, 400, 500] {
        let path = format!("/accounts/3/entries?limit={limit}");
        if limit == 1 {
            // One by one is tried on the last few only; the rest would say the same.
            let page = bank.get(&bank.alice, &path).await.expect(200).value();
            assert_eq!(page["items"].as_array().unwrap().len(), 1);
            continue;
        }
        let down = bank.pages(&bank.alice, &path).await;
        let up = bank.pages(&bank.alice, &format!("{path}&order=asc")).await;
        assert_eq!((down.len(), up.len()), (400, 400), "limit {limit}");
        assert!(down.iter().rev().eq(&up), "the same both ways");
        let expected: Vec<i64> = (0..400).map(|spent| 1_000_000 - spent * 100).collect();
        assert_eq!(balances(&up), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_booking_date() {
    let bank = Bank::open().await;
    bank.transfers(150).await;
    bank.day("2126-11-24").await;
    bank.transfers(100).await;
    bank.day("2126-11-26").await;
    bank.transfers(70).await;
    for (query, count, newest) in [
        ("", 321, 968_000),
        ("&from_date=2126-11-22&to_date=2126-11-26", 321, 968_000),
        ("&to_date=2126-11-22", 151, 985_000),
        ("&to_date=2126-11-23", 151, 985_000),
        ("&from_date=2126-11-23", 170, 968_000),
        ("&from_date=2126-11-24&to_date=2126-11-24", 100, 975_000),
        ("&from_date=2126-11-24&to_date=2126-11-25", 100, 975_000),
        ("&from_date=2126-11-25&to_date=2126-11-25", 0, 0),
        ("&from_date=2126-11-27", 0, 0),
        ("&to_date=2126-11-21", 0, 0),
        ("&from_date=2126-11-26&to_date=2126-11-22", 0, 0),
    ] {
        let down = bank.pages(&bank.alice, &format!("/accounts/3/entries?limit=40{query}")).await;
        let up = bank.pages(&bank.alice, &format!("/accounts/3/entries?limit=40&order=asc{query}")).await;
        assert_eq!(down.len(), count, "{query}");
        assert!(down.iter().rev().eq(&up), "{query}");
        assert_eq!(balances(&down).first().copied().unwrap_or(0), newest, "{query}");
    }
}

/// Only money that moved makes a line: holds and changes lie between, and one transaction may make several.
#[tokio::test(flavor = "multi_thread")]
async fn lines_of_one_transaction_are_not_torn_or_told_twice() {
    let bank = Bank::open().await;
    for round in 0..12 {
        let line = |account, side, amount| json!({"account_id": account, "side": side, "amount": amount, "currency": "BDT"});
        let entries = json!({"entries": [
            line(ALICE, "debit", "5.00"), line(ALICE, "debit", "3.00"),  line(BOB, "credit", "8.00")]});
        bank.post(&bank.operations, "/transactions", &format!("j{round}"), entries).await.expect(201);
        let hold = json!({"account_id": ALICE, "amount": "1.00", "currency": "BDT"});
        let hold = bank.post(&bank.alice, "/holds", &format!("h{round}"), hold).await.expect(201).id();
        let end = if round % 2 == 0 { "void" } else { "capture" };
        let body = if round % 2 == 0 { json!({}) } else { json!({"to_account_id": BOB}) };
        bank.post(&bank.alice, &format!("/holds/{hold}/{end}"), &format!("e{round}"), body).await;
    }
    let all = bank.pages(&bank.alice, "/accounts/3/entries?limit=500").await;
    assert_eq!(all.len(), 1 + 12 * 2 + 6);
    for limit in 2..12 {
        let down = bank.pages(&bank.alice, &format!("/accounts/3/entries?limit={limit}")).await;
        let up = bank.pages(&bank.alice, &format!("/accounts/3/entries?order=asc&limit={limit}")).await;
        assert_eq!(down, all, "limit {limit}");
        assert!(down.iter().rev().eq(&up), "limit {limit}");
    }
}
