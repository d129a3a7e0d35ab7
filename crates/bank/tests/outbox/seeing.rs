//! A subscription sees what its principal may see, and no more of it than it wants.

use serde_json::json;

use crate::bank::*;
use crate::receiver::{Receiver, bank, deposit, pay};

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_hears_of_own_accounts_only_and_sees_no_balance_of_others() {
    let bank = bank().await;
    for account in [ALICE, BOB] {
        bank.fund(account, "100.00").await;
    }
    let receiver = Receiver::start().await;
    let wish = json!({"principal": "alice", "role": "customer", "accounts": [ALICE], "after": "0"});
    receiver.registered(&bank, wish).await;
    deposit(&bank, BOB, "not hers").await;
    let paid = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    receiver.has(&[paid]).await;
    let got = receiver.got();
    assert!(got.iter().all(|got| got.touches(ALICE)));
    let data = &got.iter().find(|got| got.sequence() == paid).unwrap().body["data"];
    let entry = |account: &str| {
        data["entries"].as_array().unwrap().iter().find(|entry| entry["account_id"] == account).unwrap()
    };
    assert_eq!(entry(ALICE)["balance_after"], "99.00");
    assert_eq!(entry(BOB).get("balance_after"), None);
    for hidden in ["principal", "actor", "origin", "key_digest", "fingerprint"] {
        assert_eq!(data.get(hidden), None, "{hidden}");
    }
    let opened = got.iter().find(|got| got.body["type"] == "bankcore.account_opened").unwrap();
    assert_eq!(opened.body["data"]["account"]["id"], ALICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_wanted_is_sent_and_the_mark_passes_the_rest() {
    let bank = bank().await;
    bank.fund(ALICE, "100.00").await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({"filter": {"kinds": ["posted"], "accounts": [BOB]}})).await;
    deposit(&bank, ALICE, "not wanted").await;
    let wanted = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    let hold = json!({"account_id": BOB, "amount": "1.00", "currency": "BDT"});
    bank.post(&bank.bob, "/holds").key("h").json(hold).await.expect(201);
    receiver.has(&[wanted]).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let began = std::time::Instant::now();
    while bank.get(&bank.admin, &path).await.value()["lag_events"] != 0 {
        assert!(began.elapsed().as_secs() < 30);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(receiver.accepted(), [wanted]);

    let patch = bank.ask(axum::http::Method::PATCH, &bank.admin, &path);
    patch.json(json!({"filter": {"accounts": [ALICE]}})).await.expect(200);
    let now_wanted = deposit(&bank, ALICE, "wanted now").await;
    receiver.has(&[now_wanted]).await;
    assert_eq!(receiver.accepted(), [wanted, now_wanted]);
}
