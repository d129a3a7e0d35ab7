//! The ways that a payment can go, and where the money is at each end.

use serde_json::json;

use super::rail::Say;
use super::*;

const START: [&str; 4] = ["100.00", "0.00", "1000.00", "0.00"];
const PAID: [&str; 4] = ["90.00", "0.00", "990.00", "0.00"];

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_funded_handed_over_and_settled() {
    let paying = Paying::open().await;
    let made = paying.pay("one").await.expect(201);
    assert_eq!(made.header("location"), Some(&*format!("/api/v1/payments/{}", made.id())));
    let payment = paying.state(&made.id(), "settled").await;
    assert_eq!(states(&payment), ["created", "funded", "submitted", "settling", "settled"]);
    assert_eq!(payment["from_account_id"], ALICE);
    assert_eq!(paying.money().await, PAID);
    // The other side knows it by its own reference, and who pays whom.
    let heard = &paying.rail.heard()[0];
    assert_eq!(heard["reference"], payment["rail_reference"]);
    assert_eq!(heard["debtor"]["name"], "Alice, savings");
    assert_eq!((&heard["amount"], &heard["beneficiary"]["account"]), (&json!("10.00"), &json!("7001")));
    // Each leg in the books names the payment: what became of the money can be told from the events alone.
    let id = uuid::Uuid::parse_str(&made.id()).unwrap();
    for leg in ["funding_id", "settlement_id"] {
        let sequence = ledger::Sequence(payment[leg].as_str().unwrap().parse().unwrap());
        let event = paying.bank.service.books.reads().event(sequence).unwrap().unwrap();
        let note = event.note.as_ref().unwrap();
        assert_eq!(note.payment, Some(*id.as_bytes()), "{leg}");
        assert_eq!(note.reference.as_deref(), payment["rail_reference"].as_str(), "{leg}");
    }
    paying.bank.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_gives_the_money_back() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Status("rejected")]);
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.state(&id, "reversed").await;
    assert_eq!(states(&payment)[2..], ["submitted", "rejected", "reversed"]);
    assert_eq!(payment["timeline"][3]["reason"], "T1: as told");
    assert_eq!(paying.money().await, START);
    assert!(paying.cases().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_asked_about_and_not_found_is_sent_again_under_the_same_reference() {
    let paying = Paying::open().await;
    let mut hasty = wish(paying.rail.url());
    hasty["settles_within_seconds"] = 1.into();
    paying.bank.put(&paying.bank.admin, "/rails/test").json(hasty).await.expect(200);
    paying.rail.say("submit", &[Say::Nothing, Say::Status("accepted")]);
    paying.rail.say("enquire", &[Say::Status("not_found"), Say::Status("settled")]);
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.state(&id, "settled").await;
    let expected = ["submitted", "unknown", "submitted", "accepted", "settling", "settled"];
    assert_eq!(states(&payment)[2..], expected);
    let heard = paying.rail.heard();
    assert!(heard.iter().all(|question| question["reference"] == payment["rail_reference"]));
    assert_eq!(paying.money().await, PAID);
}

/// A forged answer, and one about something else, say nothing: neither may move money.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_believed_counts_as_silence() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Forged("rejected")]);
    paying
        .rail
        .say("enquire", &[Say::OfAnother("rejected"), Say::Status("cancel_denied"), Say::Status("settled")]);
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.state(&id, "settled").await;
    assert_eq!(states(&payment)[2..], ["submitted", "unknown", "unknown", "unknown", "settling", "settled"]);
    assert_eq!(payment["timeline"][3]["reason"], "the signature is not right");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_unknown_becomes_a_case_and_a_late_answer_ends_it() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Nothing]);
    paying.rail.say("enquire", &[Say::Nothing]);
    let id = paying.pay("one").await.expect(201).id();
    let held = paying.until(&id, |payment| payment["held"] == true).await;
    assert_eq!(held["state"], "unknown");
    let cases = paying.cases().await;
    assert_eq!(cases.len(), 1);
    assert_eq!((&cases[0]["kind"], &cases[0]["money_at_risk"]), (&json!("unknown_outcome"), &json!("10.00")));
    assert_eq!(cases[0]["payment_id"], id.as_str());
    assert_eq!(paying.money().await, ["90.00", "10.00", "1000.00", "0.00"], "the money waits in clearing");

    let reference = held["rail_reference"].as_str().unwrap();
    paying
        .notice(&json!({"notice": "payment", "reference": reference, "status": "settled"}))
        .await
        .expect(200);
    paying.state(&id, "settled").await;
    assert_eq!(paying.money().await, PAID);
    assert!(paying.cases().await.is_empty(), "the case ended with the answer");
    let case = paying
        .bank
        .get(&paying.bank.operations, &format!("/cases/{}", cases[0]["id"].as_str().unwrap()))
        .await;
    assert_eq!(case.value()["resolution"], "answered");
}

/// Operations gave the money back on somebody's word, and then the rail says that it has paid.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_after_somebody_acted_is_a_case_of_its_own() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Nothing]);
    paying.rail.say("enquire", &[Say::Nothing]);
    let id = paying.pay("one").await.expect(201).id();
    let held = paying.until(&id, |payment| payment["held"] == true).await;
    let case = paying.cases().await.remove(0);
    assert_eq!(paying.resolve(&case, "suspend").await.problem(), (422, "resolution_not_possible".into()));
    assert_eq!(paying.resolve(&case, "close").await.problem(), (422, "resolution_not_possible".into()));
    let resolved = paying.resolve(&case, "not_paid").await.expect(200).value();
    assert_eq!((&resolved["status"], &resolved["resolution"]), (&json!("resolved"), &json!("not_paid")));
    assert_eq!(resolved["history"][1]["reason"], "told by phone");
    paying.state(&id, "reversed").await;
    assert_eq!(paying.money().await, START);
    assert_eq!(paying.resolve(&case, "resume").await.problem(), (422, "case_resolved".into()));

    let settled = json!({"notice": "payment", "reference": held["rail_reference"], "status": "settled"});
    for _ in 0..3 {
        paying.notice(&settled).await.expect(200);
    }
    let cases = paying.cases().await;
    assert_eq!(cases.len(), 1, "once, however often it is told");
    assert_eq!(cases[0]["kind"], "contradiction");
    assert_eq!(paying.money().await, START, "no money moves by it");
    paying.resolve(&cases[0], "close").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_can_be_resumed() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Nothing]);
    paying.rail.say("enquire", &[Say::Nothing, Say::Nothing, Say::Nothing, Say::Status("settled")]);
    let id = paying.pay("one").await.expect(201).id();
    paying.until(&id, |payment| payment["held"] == true).await;
    let case = paying.cases().await.remove(0);
    paying.resolve(&case, "resume").await.expect(200);
    paying.state(&id, "settled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_before_the_rail_has_it_is_ours_and_after_it_is_the_rails() {
    let paying = Paying::open().await;
    // Handed over tomorrow at the earliest.
    let mut closed = wish(paying.rail.url());
    let minute = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let (opens, cut_off) = if minute.hour() < 12 { ("22:00", "22:01") } else { ("00:00", "00:01") };
    closed["opens"] = opens.into();
    closed["cut_off"] = cut_off.into();
    paying.bank.put(&paying.bank.admin, "/rails/test").json(closed).await.expect(200);
    let queued = paying.pay("one").await.expect(201).value();
    let id = queued["id"].as_str().unwrap();
    assert_eq!(queued["state"], "funded");
    assert!(queued["queued_until"].as_str().unwrap().contains(opens), "{queued}");
    let cancel = format!("/payments/{id}/cancel");
    let body = || json!({"reason": "the wrong person"});
    assert_eq!(paying.bank.post(&paying.bank.bob, &cancel).json(body()).await.status, 404);
    paying.bank.post(&paying.bank.alice, &cancel).json(body()).await.expect(200);
    let payment = paying.state(id, "reversed").await;
    assert_eq!(states(&payment)[1..], ["funded", "cancelled", "reversed"]);
    assert!(paying.rail.heard().is_empty(), "the rail never heard of it");
    paying.bank.post(&paying.bank.alice, &cancel).json(body()).await.expect(200);
    assert_eq!(paying.money().await, START);

    paying.bank.put(&paying.bank.admin, "/rails/test").json(wish(paying.rail.url())).await.expect(200);
    paying.rail.say("submit", &[Say::Status("accepted")]);
    paying.rail.say("cancel", &[Say::Nothing, Say::Status("cancelled")]);
    let id = paying.pay("two").await.expect(201).id();
    paying.state(&id, "accepted").await;
    let cancel = format!("/payments/{id}/cancel");
    let asked = paying.bank.post(&paying.bank.alice, &cancel).json(body()).await.expect(200).value();
    assert_eq!(asked["state"], "cancel_requested");
    let payment = paying.state(&id, "reversed").await;
    assert_eq!(states(&payment)[4..], ["cancel_requested", "cancel_requested", "cancelled", "reversed"]);

    paying.rail.say("submit", &[Say::Status("settled")]);
    let id = paying.pay("three").await.expect(201).id();
    paying.state(&id, "settled").await;
    let late = paying.bank.post(&paying.bank.alice, &format!("/payments/{id}/cancel")).json(body()).await;
    assert_eq!(late.problem(), (422, "payment_not_cancellable".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_cannot_go_back_to_a_closed_account_goes_to_suspense() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Status("accepted")]);
    paying.rail.say("enquire", &[Say::Status("accepted")]);
    let mut all = order();
    all["amount"] = "50.00".into();
    for key in ["one", "two"] {
        let id = paying
            .bank
            .post(&paying.bank.alice, "/payments")
            .key(key)
            .json(all.clone())
            .await
            .expect(201)
            .id();
        paying.state(&id, "accepted").await;
    }
    paying.bank.admin(&format!("/accounts/{ALICE}/close")).key("close").json(json!({})).await.expect(200);
    for payment in paying.bank.get(&paying.bank.admin, "/payments").await.value()["items"].as_array().unwrap()
    {
        let told = json!({"notice": "payment", "reference": payment["rail_reference"], "status": "rejected"});
        paying.notice(&told).await.expect(200);
        let payment = paying.state(payment["id"].as_str().unwrap(), "suspended").await;
        assert_eq!(states(&payment)[4..], ["rejected", "suspending", "suspended"]);
    }
    assert_eq!(paying.money().await, ["0.00", "0.00", "1000.00", "100.00"]);
    let kinds: Vec<_> = paying.cases().await.iter().map(|case| case["kind"].clone()).collect();
    assert_eq!(kinds, ["in_suspense", "in_suspense"]);
}

/// The freeze stops what the customer wants, not what is given back.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_account_pays_nothing_and_is_given_back_what_it_paid() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Status("accepted")]);
    let id = paying.pay("one").await.expect(201).id();
    let reference = paying.state(&id, "accepted").await["rail_reference"].clone();
    paying.bank.admin(&format!("/accounts/{ALICE}/freeze")).key("freeze").json(json!({})).await.expect(200);
    assert_eq!(paying.pay("two").await.problem(), (422, "account_frozen".into()));
    paying
        .notice(&json!({"notice": "payment", "reference": reference, "status": "rejected"}))
        .await
        .expect(200);
    paying.state(&id, "reversed").await;
    assert_eq!(paying.money().await, START);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_our_own_books_refuse_is_tried_again_and_then_a_case() {
    let paying = Paying::open().await;
    paying.bank.admin(&format!("/accounts/{NOSTRO}/freeze")).key("freeze").json(json!({})).await.expect(200);
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.until(&id, |payment| payment["timeline"].as_array().unwrap().len() > 4).await;
    let refused = &payment["timeline"][4];
    assert_eq!((&refused["observed"], &refused["attempt"]), (&json!("refused"), &json!(1)));
    assert!(refused["reason"].as_str().unwrap().starts_with("account_frozen"), "{refused}");
    paying
        .bank
        .admin(&format!("/accounts/{NOSTRO}/unfreeze"))
        .key("unfreeze")
        .json(json!({}))
        .await
        .expect(200);
    paying.state(&id, "settled").await;
    assert_eq!(paying.money().await, PAID);
}

/// Somebody kills the process between any two steps; here the driver is gone and another one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn another_driver_goes_on_where_the_first_one_was() {
    let mut paying = Paying::open().await;
    paying.driver.abort();
    let id = paying.pay("one").await.expect(201).id();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(paying.payment(&id).await["state"], "funded");
    let bank = Arc::clone(&paying.bank.service);
    paying.driver = tokio::spawn(Arc::clone(&bank.payments).drive(None));
    paying.state(&id, "settled").await;
}
