//! The ways that a payment in two phases can go, and where the money is on both sides.

use super::line::Bad;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_banks_prepare_and_both_commit() {
    let sisters = Sisters::open().await;
    let id = sisters.pay("one").await.expect(201).id();
    let payment = sisters.state(&id, "settled").await;
    assert_eq!(states(&payment), ["created", "funded", "submitted", "settling", "settled"]);
    assert_eq!((&payment["mode"], &payment["decision"]), (&json!("two_phase"), &json!("commit")));
    let promise = sisters.promise(|promise| promise["state"] == "committed").await;
    assert_eq!(states(&promise), ["preparing", "prepared", "committing", "committed"]);
    assert_eq!(promise["reference"], payment["rail_reference"]);
    assert_eq!((&promise["amount"], &promise["account_id"]), (&json!("10.00"), &json!(BOB)));
    assert_eq!((&promise["decided_by"], &promise["heuristic"]), (&json!("rail:payer"), &json!(false)));
    assert_eq!(sisters.money().await, PAID);
    sisters.check().await;
    // Each event names the payment, or the promise, that it belongs to: nobody takes it back by hand.
    let credit = format!("/transactions/{}/reversal", promise["transaction_id"].as_str().unwrap());
    let reversal = sisters.other.admin(&credit).key("r").json(json!({})).await;
    assert_eq!(reversal.problem(), (422, "belongs_to_payment".into()));
    let again = sisters.pay("one").await.expect(201);
    assert!(again.replayed());
    assert_eq!(sisters.money().await, PAID);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_are_asked_for_again_and_nothing_happens_twice() {
    let sisters = Sisters::open().await;
    sisters.there.be_bad(&["prepare", "commit"], Bad::Deaf);
    let id = sisters.pay("one").await.expect(201).id();
    sisters.state(&id, "unknown").await;
    sisters.promise(|promise| promise["state"] == "prepared").await;
    assert_eq!(sisters.money().await, RESERVED);
    sisters.there.be_good();
    sisters.there.be_bad(&["commit"], Bad::Deaf);
    sisters.promise(|promise| promise["state"] == "committed").await;
    assert_eq!(sisters.payment(&id).await["state"], "settling", "told, and not acknowledged");
    until_cases(&sisters.payer, &["late"]).await;
    sisters.there.be_good();
    sisters.state(&id, "settled").await;
    assert_eq!(sisters.money().await, PAID);
    assert!(cases(&sisters.payer).await.is_empty(), "its case ended with the acknowledgement");
    sisters.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_bank_refuses_is_given_back() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    let freeze = json!({"reason": "court order"});
    sisters.other.admin(&format!("/accounts/{BOB}/freeze")).key("f").json(freeze).await.expect(200);
    let exposed = sisters.number_of(CAROL_SAVINGS).await;
    let mut keys = 0;
    let mut refused = async |to: &str, code: &str| {
        keys += 1;
        let ask = sisters.payer.post(&sisters.payer.alice, "/payments").key(&format!("k{keys}"));
        let id = ask.json(order(to)).await.expect(201).id();
        let payment = sisters.state(&id, "reversed").await;
        assert_eq!(states(&payment)[2..], ["submitted", "rejected", "reversed"]);
        let reason = payment["timeline"].as_array().unwrap().iter().find_map(|line| line["reason"].as_str());
        assert!(reason.unwrap().starts_with(&format!("{code}: ")), "{payment:#}");
        assert_eq!(sisters.money().await, START);
    };
    refused(&bob, "account_frozen").await;
    refused("NOBODY1", "unknown_beneficiary").await;
    sisters.lend("9.99").await;
    refused(&exposed, "exposure_exhausted").await;
    sisters.lend("10.00").await;
    let ask = sisters.payer.post(&sisters.payer.alice, "/payments").key("fits");
    let id = ask.json(order(&exposed)).await.expect(201).id();
    sisters.state(&id, "settled").await;
    // Who runs the other bank is told what to do about it.
    let promises = sisters.promises().await;
    let exhausted = promises.iter().find(|promise| promise["refusal"] == "exposure_exhausted").unwrap();
    let why = exhausted["timeline"].as_array().unwrap().last().unwrap()["reason"].as_str().unwrap();
    assert!(why.contains(&format!("Raise the overdraft limit of the clearing account {CLEARING}")), "{why}");
    sisters.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_our_own_books_refuse_never_leaves_the_house() {
    let sisters = Sisters::open().await;
    let mut all = order(&sisters.number_of(BOB).await);
    all["amount"] = "100.01".into();
    let answer = sisters.payer.post(&sisters.payer.alice, "/payments").key("one").json(all).await;
    assert_eq!(answer.problem(), (422, "insufficient_funds".into()));
    assert!(sisters.there.heard().is_empty());
    assert_eq!(sisters.money().await, START);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_before_the_decision_aborts_both_sides() {
    let sisters = Sisters::open().await;
    sisters.there.be_bad(&["prepare"], Bad::Deaf);
    let id = sisters.pay("one").await.expect(201).id();
    sisters.promise(|promise| promise["state"] == "prepared").await;
    sisters.state(&id, "unknown").await;
    let cancel = format!("/payments/{id}/cancel");
    let asked = json!({"reason": "the wrong person"});
    let answer = sisters.payer.post(&sisters.payer.alice, &cancel).json(asked).await.expect(200).value();
    assert_eq!(answer["decision"], "abort");
    sisters.state(&id, "reversed").await;
    let promise = sisters.promise(|promise| promise["state"] == "aborted").await;
    assert_eq!(promise["coordinator_said"], "abort");
    assert_eq!(sisters.money().await, START);
    sisters.check().await;

    sisters.there.be_good();
    let id = sisters.pay("two").await.expect(201).id();
    sisters.state(&id, "settled").await;
    let cancel = format!("/payments/{id}/cancel");
    let late = sisters.payer.post(&sisters.payer.alice, &cancel).json(json!({"reason": "late"})).await;
    assert_eq!(late.problem(), (422, "payment_not_cancellable".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_prepared_in_time_is_given_up_and_a_late_prepare_is_too_late() {
    let sisters = Sisters::with(300).await;
    sisters.there.be_bad(&["prepare"], Bad::Cut);
    let id = sisters.pay("one").await.expect(201).id();
    let payment = sisters.state(&id, "reversed").await;
    let timeline = payment["timeline"].as_array().unwrap();
    assert!(timeline.iter().any(|line| line["observed"] == "time_up"), "{payment:#}");
    assert_eq!(sisters.money().await, START);
    // The abort came first, so whatever comes later under this reference is refused, for ever.
    let promise = sisters.promise(|promise| promise["state"] == "aborted").await;
    assert!(promise["amount"].is_null(), "it was aborted before anybody said what it is about");
    let reference = payment["rail_reference"].as_str().unwrap();
    let late = sisters.ask(&prepare(reference, &sisters.number_of(BOB).await)).await.expect(200).value();
    assert_eq!(late, json!({"reference": reference, "status": "aborted"}));
    assert_eq!(sisters.money().await, START);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_in_a_mode_that_its_rail_carries() {
    let sisters = Sisters::open().await;
    let pay = async |body: &Value| {
        sisters.payer.post(&sisters.payer.alice, "/payments").key("one").json(body.clone()).await
    };
    let shown = async |name: &str| {
        let rail = sisters.payer.get(&sisters.payer.admin, &format!("/rails/{name}")).await.expect(200);
        rail.value()["modes"].clone()
    };
    assert_eq!(shown("other").await, json!(["saga", "two_phase"]));
    let mut plain = rail("http://127.0.0.1:9/rail", 1_000);
    plain["two_phase"] = false.into();
    plain.as_object_mut().unwrap().remove("prepare_within_ms");
    sisters.payer.put(&sisters.payer.admin, "/rails/plain").json(plain.clone()).await.expect(201);
    assert_eq!(shown("plain").await, json!(["saga"]));
    let mut order = order(&sisters.number_of(BOB).await);
    order["rail"] = "plain".into();
    assert_eq!(pay(&order).await.problem(), (422, "mode_not_carried".into()));
    order["mode"] = "xa".into();
    assert_eq!(pay(&order).await.problem(), (400, "malformed_request".into()));
    plain["prepare_within_ms"] = 100.into();
    let put = sisters.payer.put(&sisters.payer.admin, "/rails/plain").json(plain).await;
    assert_eq!(put.problem(), (422, "rail_not_possible".into()));
    for (within, status) in [(49, 422), (50, 200), (3_600_000, 200), (3_600_001, 422)] {
        let put =
            sisters.payer.put(&sisters.payer.admin, "/rails/other").json(rail("http://x/", within)).await;
        assert_eq!(put.status, status, "{within}: {}", put.text);
    }
}
