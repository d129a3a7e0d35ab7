//! Reading accounts and balances.

use insta::assert_json_snapshot;

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_as_it_stands() {
    let bank = Bank::open().await;
    let answer = bank.get(&bank.alice, "/accounts/3").await.expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());
    assert_json_snapshot!(bank.golden(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_see_their_own_and_nothing_of_others() {
    let bank = Bank::open().await;
    for path in ["/accounts/5", "/accounts/1", "/accounts/99"] {
        for more in ["", "/balance", "/entries"] {
            let answer = bank.get(&bank.alice, &format!("{path}{more}")).await;
            assert_eq!(answer.problem(), (404, "not_found".into()));
            let detail = answer.value()["detail"].clone();
            assert_eq!(detail, "There is no such thing, or it is not yours.", "the same for all");
        }
    }
    for token in [&bank.admin, &bank.teller, &bank.operations, &bank.auditor] {
        bank.get(token, "/accounts/5").await.expect(200);
        assert_eq!(bank.get(token, "/accounts/99").await.problem(), (404, "not_found".into()));
    }
    assert_eq!(bank.get("", "/accounts/3").await.problem(), (401, "unauthenticated".into()));
    assert_eq!(bank.get(&bank.alice, "/accounts/x").await.problem(), (400, "malformed_request".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_what_the_filters_and_the_reader_allow() {
    let bank = Bank::open().await;
    let ids = async |token: &str, query: &str| -> Vec<String> {
        let items = bank.pages(token, &format!("/accounts?limit=2{query}")).await;
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&bank.teller, "").await, ["1", "2", "3", "4", "5"]);
    assert_eq!(ids(&bank.alice, "").await, ["3", "4"]);
    assert_eq!(ids(&bank.bob, "").await, ["5"]);
    assert_eq!(ids(&bank.admin, "&owner=alice").await, ["3", "4"]);
    assert_eq!(ids(&bank.admin, "&type=liability").await, ["3", "4", "5"]);
    assert_eq!(ids(&bank.admin, "&type=liability&owner=bob").await, ["5"]);
    assert_eq!(ids(&bank.admin, "&status=frozen").await, [""; 0]);
    assert_eq!(ids(&bank.admin, "&currency=USD").await, [""; 0]);
    assert_eq!(ids(&bank.admin, "&owner=nobody").await, [""; 0]);
    assert_eq!(ids(&bank.bob, "&owner=alice").await, [""; 0]);
    let number = bank.get(&bank.alice, "/accounts/3").await.value()["number"].clone();
    let number = number.as_str().unwrap();
    assert_eq!(ids(&bank.alice, &format!("&number={number}")).await, ["3"]);
    assert_eq!(ids(&bank.bob, &format!("&number={number}")).await, [""; 0], "somebody else's");
    assert_eq!(ids(&bank.admin, &format!("&number={number}&type=asset")).await, [""; 0]);
    assert_eq!(ids(&bank.admin, "&number=BC404").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_read_strictly() {
    let bank = Bank::open().await;
    for query in [
        "?colour=red",
        "?limit=0",
        "?limit=501",
        "?limit=-1",
        "?limit=ten",
        "?limit=",
        "?limit=5&limit=5",
        "?type=wallet",
        "?status=gone",
        "?type=",
    ] {
        let answer = bank.get(&bank.admin, &format!("/accounts{query}")).await;
        assert_eq!(answer.problem(), (400, "malformed_request".into()), "{query}");
    }
    assert_eq!(
        bank.get(&bank.admin, "/accounts?currency=bdt").await.problem(),
        (422, "unknown_currency".into())
    );
    for path in ["/accounts/3?x=1", "/transactions/9?x=1", "/business-day?x=1", "/health?x=1", "/keys?x=1"] {
        assert_eq!(bank.get(&bank.admin, path).await.problem(), (400, "malformed_request".into()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_balance_now_and_at_any_moment_before() {
    let bank = Bank::open().await;
    bank.transfer(&bank.alice, "t1", "100.00", serde_json::json!({})).await.expect(201);
    let first = bank.service.books.reads().head().sequence.0;
    bank.day("2126-11-24").await;
    let hold = serde_json::json!({"account_id": ALICE, "amount": "500.00", "currency": "BDT"});
    bank.post(&bank.alice, "/holds", "h", hold).await.expect(201);
    bank.transfer(&bank.alice, "t2", "200.00", serde_json::json!({})).await.expect(201);

    let now = bank.get(&bank.alice, "/accounts/3/balance").await.expect(200);
    assert_json_snapshot!("balance_now", bank.golden(&now));
    let then = bank.get(&bank.alice, &format!("/accounts/3/balance?as_of_sequence={first}")).await;
    assert_json_snapshot!("balance_then", bank.golden(&then.expect(200)));

    let time = bank.service.books.reads().event(ledger::Sequence(first)).unwrap().unwrap().time;
    let time = jiff::Timestamp::from_microsecond(time).unwrap();
    for (query, balance) in [
        (format!("as_of_time={time}"), "9900.00"),
        ("as_of_date=2126-11-22".to_owned(), "9900.00"),
        ("as_of_date=2126-11-23".to_owned(), "9900.00"),
        ("as_of_date=2126-11-24".to_owned(), "9700.00"),
    ] {
        let then = bank.get(&bank.alice, &format!("/accounts/3/balance?{query}")).await.expect(200);
        assert_eq!(then.value()["ledger_balance"], balance, "{query}");
    }
    for query in ["as_of_sequence=1", "as_of_time=2020-01-01T00:00:00Z", "as_of_date=2020-01-01"] {
        let before = bank.get(&bank.alice, &format!("/accounts/3/balance?{query}")).await;
        assert_eq!(before.problem(), (404, "not_found".into()), "{query}");
    }
    for query in ["as_of_sequence=9999", "as_of_time=2999-01-01T00:00:00Z", "as_of_date=2126-11-25"] {
        let later = bank.get(&bank.alice, &format!("/accounts/3/balance?{query}")).await;
        assert_eq!(later.problem(), (422, "as_of_in_future".into()), "{query}");
    }
    for query in ["as_of_time=yesterday", "as_of_date=2026-13-01", "as_of_sequence=1&as_of_date=2126-11-22"] {
        let bad = bank.get(&bank.alice, &format!("/accounts/3/balance?{query}")).await;
        assert_eq!(bad.problem(), (400, "malformed_request".into()), "{query}");
    }
}
