//! Looking at what was moved.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_is_shown_to_those_who_may_see_the_account() {
    let bank = Bank::open().await;
    let id = bank.transfer(&bank.alice, "t", "2000.00", json!({"reference": "INV-7"})).await.expect(201).id();
    let path = format!("/transactions/{id}");
    assert_json_snapshot!("seen_by_alice", bank.golden(&bank.get(&bank.alice, &path).await.expect(200)));
    assert_json_snapshot!("seen_by_bob", bank.golden(&bank.get(&bank.bob, &path).await.expect(200)));
    assert_json_snapshot!(
        "seen_by_an_auditor",
        bank.golden(&bank.get(&bank.auditor, &path).await.expect(200))
    );
    let between =
        json!({"from_account_id": ALICE, "to_account_id": ALICE_TOO, "amount": "1.00", "currency": "BDT"});
    let private = bank.post(&bank.alice, "/transactions/transfer", "p", between).await.expect(201).id();
    for id in [private.as_str(), "1", "999999", "18446744073709551616"] {
        let answer = bank.get(&bank.bob, &format!("/transactions/{id}")).await;
        assert_eq!(answer.problem(), (404, "not_found".into()), "{id}");
        assert_eq!(answer.value()["detail"], "There is no such thing, or it is not yours.", "{id}");
    }
    assert_eq!(
        bank.get(&bank.admin, "/transactions/1").await.problem(),
        (404, "not_found".into()),
        "no transaction"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_how_much_still_stands() {
    let bank = Bank::open().await;
    let id = bank.transfer(&bank.alice, "t", "100.00", json!({})).await.expect(201).id();
    let status =
        async || bank.get(&bank.alice, &format!("/transactions/{id}")).await.value()["status"].clone();
    assert_eq!(status().await, "posted");
    for (key, amount, expected) in [("r1", "40.00", "partially_reversed"), ("r2", "60.00", "reversed")] {
        let body = json!({"amount": amount});
        bank.post(&bank.operations, &format!("/transactions/{id}/reversal"), key, body).await.expect(201);
        assert_eq!(status().await, expected);
        let listed = bank.pages(&bank.alice, "/transactions?account_id=3").await;
        let listed = listed.iter().find(|item| item["id"] == *id).unwrap();
        assert_eq!(listed["status"], expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_find_by_every_filter() {
    let bank = Bank::open().await;
    let first = bank.transfer(&bank.alice, "a", "10.00", json!({"reference": "R-1"})).await.expect(201).id();
    let other = json!({"from_account_id": ALICE, "to_account_id": ALICE_TOO, "amount": "20.00", "currency": "BDT", "reference": "R-1"});
    let second = bank.post(&bank.alice, "/transactions/transfer", "b", other).await.expect(201).id();
    bank.day("2126-11-24").await;
    let third = bank.transfer(&bank.alice, "c", "30.00", json!({"reference": "R-2"})).await.expect(201).id();
    let [first, second, third] = [&first, &second, &third].map(String::as_str);
    let [capital, deposit] = ["14", "17"];

    let everything = bank.pages(&bank.auditor, "/transactions?limit=2").await;
    assert_eq!(ids(&everything), [third, second, first, deposit, capital], "newest first");
    for (query, expected) in [
        ("account_id=3", vec![third, second, first, deposit]),
        ("account_id=4", vec![second]),
        ("account_id=5", vec![third, first]),
        ("reference=R-1", vec![second, first]),
        ("reference=R-1&account_id=5", vec![first]),
        ("reference=R-2&kind=deposit", vec![]),
        ("reference=nothing", vec![]),
        ("kind=transfer", vec![third, second, first]),
        ("kind=deposit", vec![deposit]),
        ("from_date=2126-11-24", vec![third]),
        ("to_date=2126-11-23", vec![second, first, deposit, capital]),
        ("account_id=3&to_date=2126-11-23", vec![second, first, deposit]),
        ("reference=R-1&from_date=2126-11-24", vec![]),
        ("currency=BDT&min_amount=20.00&max_amount=30.00", vec![third, second]),
        ("currency=BDT&min_amount=20.01&account_id=3", vec![third, deposit]),
        ("currency=USD", vec![]),
    ] {
        for limit in [1, 2, 50] {
            let found = bank.pages(&bank.auditor, &format!("/transactions?limit={limit}&{query}")).await;
            assert_eq!(ids(&found), expected, "{query}, limit {limit}");
        }
    }
    for query in
        ["kind=payment", "min_amount=1.00", "currency=BDT&min_amount=x", "from_date=x", "account_id=x"]
    {
        let bad = bank.get(&bank.auditor, &format!("/transactions?{query}")).await;
        assert_eq!(bad.problem(), (400, "malformed_request".into()), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_list_their_own_accounts_only() {
    let bank = Bank::open().await;
    bank.transfer(&bank.alice, "a", "10.00", json!({"reference": "R-1"})).await.expect(201);
    assert_eq!(bank.get(&bank.bob, "/transactions").await.problem(), (400, "malformed_request".into()));
    assert_eq!(bank.get(&bank.bob, "/transactions?reference=R-1").await.problem().0, 400);
    for query in ["account_id=3", "account_id=99", "account_id=3&reference=R-1"] {
        let answer = bank.get(&bank.bob, &format!("/transactions?{query}")).await;
        assert_eq!(answer.problem(), (404, "not_found".into()), "{query}");
    }
    let own = bank.pages(&bank.bob, "/transactions?account_id=5").await;
    assert_eq!(own.len(), 1);
    let entries = own[0]["entries"].as_array().unwrap();
    assert_eq!(entries[0].get("balance_after"), None, "Alice's");
    assert_eq!(entries[1]["balance_after"], "10.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_through_the_journal_takes_many_pages_and_misses_nothing() {
    let bank = Bank::open().await;
    bank.transfers(1_300).await;
    let all = ids(&bank.pages(&bank.auditor, "/transactions?limit=500").await);
    assert_eq!(all.len(), 1_302);
    assert!(all.windows(2).all(|pair| pair[0].parse::<u64>().unwrap() > pair[1].parse::<u64>().unwrap()));
    assert_eq!(ids(&bank.pages(&bank.auditor, "/transactions?limit=33").await), all);
    assert_eq!(ids(&bank.pages(&bank.auditor, "/transactions?limit=33&kind=deposit").await), ["17"]);
}
