//! Value dates: the balance by them, and the entries that have one of their own.

use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

async fn at(bank: &Bank, query: &str) -> Answer {
    bank.get(&bank.alice, &format!("/accounts/3/balance?{query}")).await
}

async fn expect(bank: &Bank, table: &[(&str, &str)]) {
    for (query, balance) in table {
        let answer = at(bank, query).await.expect(200).value();
        assert_eq!(answer["ledger_balance"], *balance, "{query}");
    }
}

/// Alice starts with 10,000.00 of 22 November.
async fn late() -> Bank {
    let bank = Bank::open().await;
    for (key, amount, value) in [("back", "100.00", "2126-10-20"), ("ahead", "300.00", "2126-11-30")] {
        bank.transfer(&bank.alice, key, amount, json!({"value_date": value})).await.expect(201);
    }
    bank
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_counts_what_has_come_by_its_value_date() {
    let bank = late().await;
    expect(
        &bank,
        &[
            ("value_date=2126-10-19", "0.00"),
            ("value_date=2126-10-20", "-100.00"),
            ("value_date=2126-11-21", "-100.00"),
            ("value_date=2126-11-22", "9900.00"),
            ("value_date=2126-11-29", "9900.00"),
            ("value_date=2126-11-30", "9600.00"),
            ("value_date=2127-11-23", "9600.00"),
            ("value_date=2026-11-22", "0.00"),
            ("as_of_date=2126-11-22", "9600.00"),
        ],
    )
    .await;
    assert_json_snapshot!("by_value", bank.golden(&at(&bank, "value_date=2126-11-22").await.expect(200)));

    // A correction later on reaches back by value and not by booking.
    bank.day("2126-11-25").await;
    let more = json!({"value_date": "2126-11-22"});
    bank.transfer(&bank.alice, "correction", "50.00", more).await.expect(201);
    expect(
        &bank,
        &[
            ("value_date=2126-11-21", "-100.00"),
            ("value_date=2126-11-22", "9850.00"),
            ("value_date=2126-11-30", "9550.00"),
            ("as_of_date=2126-11-22", "9600.00"),
            ("as_of_date=2126-11-25", "9550.00"),
        ],
    )
    .await;
    // The other side of the books: a drawer grows by debits.
    let drawer = bank.get(&bank.auditor, "/accounts/1/balance?value_date=2126-11-21").await.expect(200);
    assert_eq!(drawer.value()["ledger_balance"], "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told() {
    let bank = late().await;
    for query in ["value_date=2127-11-24", "value_date=9999-12-31"] {
        assert_eq!(at(&bank, query).await.problem(), (422, "value_date_out_of_range".into()), "{query}");
    }
    assert_json_snapshot!("out_of_range", bank.golden(&at(&bank, "value_date=2127-11-24").await));
    for query in ["value_date=", "value_date=22.11.2126", "value_date=2126-02-30", "value_date=today"] {
        assert_eq!(at(&bank, query).await.problem(), (400, "malformed_request".into()), "{query}");
    }
    for other in ["as_of_sequence=9", "as_of_time=2126-11-22T00:00:00Z", "as_of_date=2126-11-22"] {
        let both = at(&bank, &format!("value_date=2126-11-22&{other}")).await;
        assert_eq!(both.problem(), (400, "malformed_request".into()), "{other}");
    }
    assert_json_snapshot!("both", bank.golden(&at(&bank, "value_date=2126-11-22&as_of_sequence=9").await));
    for (token, path) in
        [(&bank.bob, "/accounts/3"), (&bank.alice, "/accounts/99"), (&bank.admin, "/accounts/99")]
    {
        let answer = bank.get(token, &format!("{path}/balance?value_date=2126-11-22")).await;
        assert_eq!(answer.problem(), (404, "not_found".into()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_entries_are_listed_page_by_page() {
    let bank = late().await;
    bank.transfers(20).await;
    bank.day("2126-11-25").await;
    let hold = json!({"account_id": ALICE, "amount": "5.00", "currency": "BDT"});
    let hold = bank.post(&bank.alice, "/holds", "h", hold).await.expect(201).id();
    let capture = json!({"to_account_id": BOB, "value_date": "2126-11-24"});
    bank.post(&bank.alice, &format!("/holds/{hold}/capture"), "c", capture).await.expect(201);
    let dates = |items: &[Value]| -> Vec<(String, String)> {
        let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
        items.iter().map(|item| (text(item, "booking_date"), text(item, "value_date"))).collect()
    };
    let expected = [("2126-11-25", "2126-11-24"), ("2126-11-22", "2126-11-30"), ("2126-11-22", "2126-10-20")];
    let mut expected = expected.map(|(booking, value)| (booking.to_owned(), value.to_owned()));
    for limit in [1, 2, 50] {
        let path = format!("/accounts/3/entries?late=true&limit={limit}");
        assert_eq!(dates(&bank.pages(&bank.alice, &path).await), expected, "limit {limit}");
        let mut up = dates(&bank.pages(&bank.alice, &format!("{path}&order=asc")).await);
        up.reverse();
        assert_eq!(up, expected, "limit {limit}, oldest first");
    }
    let on = bank.pages(&bank.alice, "/accounts/3/entries?late=true&from_date=2126-11-23").await;
    expected[1..].fill_with(Default::default);
    assert_eq!(dates(&on), expected[..1]);
    let all = bank.pages(&bank.alice, "/accounts/3/entries?late=false").await;
    assert_eq!(all.len(), 24);
    let bad = bank.get(&bank.alice, "/accounts/3/entries?late=yes").await;
    assert_eq!(bad.problem(), (400, "malformed_request".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn value_dates_outlive_a_snapshot_a_restart_and_the_years() {
    let table = [
        ("value_date=2126-10-19", "0.00"),
        ("value_date=2126-10-20", "-100.00"),
        ("value_date=2126-11-22", "9900.00"),
        ("value_date=2126-11-30", "9600.00"),
    ];
    let mut bank = late().await;
    for date in ["2126-12-01", "2127-12-31", "2129-06-01"] {
        bank = bank.reopened(|settings| settings.store.snapshot_every = 1).await;
        expect(&bank, &table).await;
        // The last two days settle what is asked for here.
        bank.day(date).await;
        expect(&bank, &table).await;
        snapshot_at(&bank, bank.service.books.reads().head().sequence.0).await;
    }
    let bank = bank.reopened(|_| ()).await;
    assert_eq!(bank.service.recovery.as_ref().unwrap().replayed, 0, "all of it is in the snapshot");
    expect(&bank, &table).await;
}

/// Waits for the snapshot that stands for this sequence; they are made beside the work.
async fn snapshot_at(bank: &Bank, sequence: u64) {
    let path = bank.folder.path().join(format!("snapshots/{sequence:020}.snap"));
    for _ in 0..1_000 {
        if path.exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no snapshot at {sequence}");
}

/// A settled day is read from the account's entries around it; one that cost too much is refused, not awaited.
#[tokio::test(flavor = "multi_thread")]
async fn a_settled_day_among_too_many_entries_is_too_far_back() {
    let bank = late().await;
    for _ in 0..100 {
        bank.transfers_of(1, 1_000).await;
    }
    expect(&bank, &[("value_date=2126-10-20", "-100.00")]).await;
    bank.day("2128-12-01").await;
    assert_eq!(at(&bank, "value_date=2126-10-20").await.problem(), (422, "too_far_back".into()));
    expect(&bank, &[("as_of_date=2126-11-22", "8600.00"), ("value_date=2128-12-01", "8600.00")]).await;
}
