//! Notifications: the text that a template makes of an event, for somebody who may see only some of it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::bank::*;
use crate::receiver::{Receiver, bank, deposit, pay};

const TEMPLATE: &str = "{% if credit %}Received{% else %}Paid{% endif %} {{ amount }} {{ currency }}, account \
                        {{ account }}{% if balance %}, {{ balance }} left{% endif %}";

/// The text about an event, as it arrived.
fn text(receiver: &Receiver, sequence: u64) -> Value {
    let got = receiver.got();
    let found = got.iter().find(|got| got.sequence() == sequence).expect("it arrived");
    found.body["data"]["notification"].clone()
}

/// The last four characters of an account's number.
async fn tail(bank: &Bank, account: &str) -> String {
    let shown = bank.get(&bank.admin, &format!("/accounts/{account}")).await.expect(200).value();
    let number = shown["number"].as_str().unwrap().to_owned();
    number[number.len() - 4..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_of_their_own_account_with_its_balance_and_nothing_of_others() {
    let bank = bank().await;
    for account in [ALICE, BOB] {
        bank.fund(account, "100.00").await;
    }
    let (hers, his) = (Receiver::start().await, Receiver::start().await);
    for (receiver, who, account) in [(&hers, "alice", ALICE), (&his, "bob", BOB)] {
        let wish = json!({
            "principal": who, "role": "customer", "accounts": [account], "templates": {"posted": TEMPLATE},
        });
        receiver.registered(&bank, wish).await;
    }
    let paid = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    hers.has(&[paid]).await;
    his.has(&[paid]).await;
    let (alice, bob) = (tail(&bank, ALICE).await, tail(&bank, BOB).await);
    assert_eq!(text(&hers, paid), format!("Paid 1.00 BDT, account …{alice}, 99.00 left"));
    assert_eq!(text(&his, paid), format!("Received 1.00 BDT, account …{bob}, 101.00 left"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_kinds_with_a_template_have_a_text_and_a_change_holds_at_once() {
    let bank = bank().await;
    bank.fund(ALICE, "100.00").await;
    let receiver = Receiver::start().await;
    let made =
        receiver.registered(&bank, json!({"templates": {"posted": "{{ transaction }} {{ amount }}"}})).await;
    assert_eq!(made["templates"], json!({"posted": "{{ transaction }} {{ amount }}"}));
    let paid = pay(&bank, (&bank.alice, ALICE), BOB, "1").await;
    let hold = json!({"account_id": ALICE, "amount": "2.00", "currency": "BDT"});
    let held: u64 =
        bank.post(&bank.alice, "/holds").key("h").json(hold).await.expect(201).id().parse().unwrap();
    receiver.has(&[paid, held]).await;
    assert_eq!((text(&receiver, paid), text(&receiver, held)), (json!("transfer 1.00"), Value::Null));

    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    let change = async |templates: Value| {
        let patch = bank.ask(Method::PATCH, &bank.admin, &path).json(json!({"templates": templates})).await;
        patch.expect(200).value()
    };
    change(json!({"posted": "{% if credit %}in{% endif %}: {{ amount }}"})).await;
    let next = deposit(&bank, ALICE, "2").await;
    receiver.has(&[next]).await;
    assert_eq!(text(&receiver, next), "in: 1.00");

    assert_eq!(change(json!({})).await.get("templates"), None);
    let last = deposit(&bank, ALICE, "3").await;
    receiver.has(&[last]).await;
    assert_eq!(text(&receiver, last), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_template_is_refused_when_it_is_registered_and_when_it_is_changed() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({"templates": {"posted": "{{ amount }}"}})).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    for (template, why) in [
        ("{{ amuont }}", "The template for posted: there is no amuont; there are account, amount"),
        ("one\n{% if amount %}", "The template for posted: line 2"),
        ("{{ 'x' * 1000000000 }}", "nothing else"),
        ("", "it is empty"),
        (&"x".repeat(2_001), "2001 bytes; at most 2000"),
    ] {
        let wish = json!({"name": "a", "url": receiver.url, "templates": {"posted": template}});
        let answer = bank.admin("/webhooks").json(wish).await;
        assert_eq!(answer.problem(), (422, "subscription_not_possible".into()), "{template}");
        assert!(answer.value()["detail"].as_str().unwrap().contains(why), "{}", answer.text);
        let patch = bank.ask(Method::PATCH, &bank.admin, &path);
        let answer = patch.json(json!({"templates": {"posted": template}})).await;
        assert_eq!(answer.problem(), (422, "subscription_not_possible".into()), "{template}");
    }
    let wish = json!({"name": "a", "url": receiver.url, "templates": {"gossip": "x"}});
    let answer = bank.admin("/webhooks").json(wish).await;
    assert_eq!(answer.problem(), (400, "malformed_request".into()));
    let standing = bank.get(&bank.admin, &path).await.expect(200).value();
    assert_eq!(standing["templates"], json!({"posted": "{{ amount }}"}), "it is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_shows_what_the_templates_make_of_an_example() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let templates = json!({"posted": TEMPLATE, "hold_placed": "Held: {{ amount }}"});
    let made = receiver.registered(&bank, json!({"templates": templates})).await;
    let path = format!("/webhooks/{}/test", made["id"].as_str().unwrap());
    assert_eq!(bank.admin(&path).send().await.expect(200).value()["outcome"], "delivered");
    let body = &receiver.got()[0].body;
    assert_eq!(body["type"], "bankcore.test");
    assert_eq!(
        body["data"]["notifications"],
        json!({"posted": "Paid 2000.00 BDT, account …0101, 3000.00 left", "hold_placed": "Held: 2000.00"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_in_the_audit_trail() {
    let bank = bank().await;
    let receiver = Receiver::start().await;
    let made = receiver.registered(&bank, json!({"templates": {"posted": "{{ amount }}"}})).await;
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    bank.ask(Method::PATCH, &bank.admin, &path).json(json!({"templates": {}})).await.expect(200);
    let trail = bank.get(&bank.admin, "/audit?limit=500").await.expect(200).value();
    let records =
        trail["items"].as_array().unwrap().iter().filter(|record| record["object"] == "subscription");
    let states: Vec<_> =
        records.map(|record| (&record["before"]["templates"], &record["after"]["templates"])).collect();
    let template = json!({"posted": "{{ amount }}"});
    assert!(states.contains(&(&Value::Null, &template)), "made: {states:?}");
    assert!(states.contains(&(&template, &Value::Null)), "changed: {states:?}");
}
