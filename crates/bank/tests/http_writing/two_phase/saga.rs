//! The other mode over the same rail: the payer's bank hands a payment over, the beneficiary's bank credits it once or
//! refuses it for good.

use super::line::Bad;
use super::*;

/// Ledger balances of Alice, of clearing and nostro there, of nostro here, and of Bob.
const BEFORE: [&str; 5] = ["100.00", "0.00", "1000.00", "0.00", "0.00"];
const ON_ITS_WAY: [&str; 5] = ["90.00", "10.00", "1000.00", "0.00", "0.00"];
const SETTLED: [&str; 5] = ["90.00", "0.00", "990.00", "10.00", "10.00"];

impl Sisters {
    /// The payer's bank has 1,000.00 at the other one, and more patience than any test.
    async fn with_a_nostro() -> Sisters {
        let sisters = Sisters::open().await;
        let entries = json!({"entries": [
            {"account_id": SETTLEMENT, "side": "debit", "amount": "1000.00", "currency": "BDT"},
            {"account_id": CAPITAL, "side": "credit", "amount": "1000.00", "currency": "BDT"}]});
        sisters.payer.admin("/transactions").key("fund the nostro").json(entries).await.expect(201);
        let mut patient = rail(sisters.there.url(), 60_000);
        patient["tries_max"] = 1_000.into();
        sisters.payer.put(&sisters.payer.admin, "/rails/other").json(patient).await.expect(200);
        sisters
    }

    async fn hand_over(&self, key: &str, to: &str) -> String {
        let mut order = order(to);
        order.as_object_mut().unwrap().remove("mode");
        let made = self.payer.post(&self.payer.alice, "/payments").key(key).json(order).await.expect(201);
        assert_eq!(made.value()["mode"], "saga");
        made.id()
    }

    async fn lies(&self) -> [String; 5] {
        let mut all = [const { String::new() }; 5];
        let accounts = [
            (&self.payer, ALICE),
            (&self.payer, CLEARING),
            (&self.payer, SETTLEMENT),
            (&self.other, SETTLEMENT),
            (&self.other, BOB),
        ];
        for (place, (bank, account)) in all.iter_mut().zip(accounts) {
            *place = bank.balances(account).await[0].clone();
        }
        all
    }

    /// What the other bank says to a question in the name of the payer's.
    async fn status(&self, body: &Value) -> Value {
        self.ask(body).await.expect(200).value()["status"].clone()
    }
}

fn submit(reference: &str, to: &str) -> Value {
    json!({
        "operation": "submit", "reference": reference, "amount": "10.00", "currency": "BDT",
        "debtor": {"name": "Alice", "account": "A1"}, "beneficiary": {"name": "Bob", "account": to}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_handed_over_and_credited_once() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    let id = sisters.hand_over("one", &bob).await;
    let payment = sisters.state(&id, "settled").await;
    assert_eq!(states(&payment), ["created", "funded", "submitted", "settling", "settled"]);
    assert_eq!(sisters.there.heard(), ["submit"]);
    assert_eq!(sisters.lies().await, SETTLED);
    // Under its own reference nobody else's payment is made: nothing happens twice.
    let entries = sisters.other.get(&sisters.other.bob, &format!("/accounts/{BOB}/entries")).await.value();
    let credits = entries["items"].as_array().unwrap();
    assert_eq!(credits.len(), 1, "{credits:#?}");
    assert_eq!(credits[0]["reference"], payment["rail_reference"]);
    let credit = format!("/transactions/{}/reversal", credits[0]["transaction_id"].as_str().unwrap());
    let reversal = sisters.other.admin(&credit).key("r").json(json!({})).await;
    assert_eq!(reversal.problem(), (422, "belongs_to_payment".into()));
    // Both modes go over the one rail.
    let promised = sisters.pay("two").await.expect(201).id();
    sisters.state(&promised, "settled").await;
    assert_eq!(sisters.lies().await[4], "20.00");
    sisters.payer.check().await;
    sisters.other.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_and_a_lost_submission_is_sent_again() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    sisters.there.be_bad(&["submit", "enquire"], Bad::Deaf);
    let id = sisters.hand_over("one", &bob).await;
    sisters.state(&id, "unknown").await;
    assert_eq!(sisters.lies().await, ["90.00", "10.00", "1000.00", "10.00", "10.00"], "it is there already");
    sisters.there.be_good();
    sisters.state(&id, "settled").await;
    assert_eq!(sisters.lies().await, SETTLED);

    sisters.there.be_bad(&["submit"], Bad::Cut);
    let id = sisters.hand_over("two", &bob).await;
    sisters.state(&id, "unknown").await;
    sisters.there.be_good();
    let payment = sisters.state(&id, "settled").await;
    let seen = payment["timeline"].as_array().unwrap();
    assert!(seen.iter().any(|line| line["observed"] == "not_found"), "{payment:#}");
    assert_eq!(sisters.lies().await[4], "20.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_credited_has_it_refused_for_good() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    let freeze = json!({"reason": "court order"});
    sisters.other.admin(&format!("/accounts/{BOB}/freeze")).key("f").json(freeze).await.expect(200);
    let mut references = Vec::new();
    for (to, code) in [(&*bob, "account_frozen"), ("NOBODY1", "unknown_beneficiary")] {
        let id = sisters.hand_over(code, to).await;
        let payment = sisters.state(&id, "reversed").await;
        assert_eq!(states(&payment)[2..], ["submitted", "rejected", "reversed"]);
        let reason = payment["timeline"].as_array().unwrap().iter().find_map(|line| line["reason"].as_str());
        assert!(reason.unwrap().starts_with(&format!("{code}: ")), "{payment:#}");
        assert_eq!(sisters.lies().await, BEFORE);
        references.push(payment["rail_reference"].as_str().unwrap().to_owned());
    }
    assert!(cases(&sisters.other).await.is_empty(), "the money never left the payer's bank");
    // What was said for good stands, also when it would be possible now.
    sisters.other.admin(&format!("/accounts/{BOB}/unfreeze")).key("u").json(json!({})).await.expect(200);
    for operation in ["enquire", "cancel"] {
        assert_eq!(sisters.status(&about(operation, &references[0])).await, "rejected");
    }
    let again = sisters.ask(&submit("refused", "NOBODY1")).await.expect(200).value();
    assert_eq!((&again["status"], &again["code"]), (&json!("rejected"), &json!("unknown_beneficiary")));
    let mut euros = submit("euros", &bob);
    euros["currency"] = "EUR".into();
    let refused = sisters.ask(&euros).await.expect(200).value();
    assert_eq!((&refused["status"], &refused["code"]), (&json!("rejected"), &json!("currency_not_carried")));
    assert_eq!(sisters.status(&about("enquire", "euros")).await, "rejected");
    assert_eq!(sisters.lies().await, BEFORE);
}

/// Where the settlement account is what the other bank owes us, its limit is how much that may be.
#[tokio::test(flavor = "multi_thread")]
async fn the_settlement_account_bounds_the_exposure() {
    let sisters = Sisters::with_a_nostro().await;
    let bank = &sisters.other;
    let account = json!({"name": "due from the payer's bank", "type": "liability", "currency": "BDT"});
    let due = bank.admin("/accounts").key("due").json(account).await.expect(201).id();
    let mut wish = rail(sisters.back.url(), 60_000);
    wish["currencies"][0]["settlement_account_id"] = json!(due);
    bank.put(&bank.admin, "/rails/payer").json(wish).await.expect(200);
    let bob = sisters.number_of(BOB).await;
    let refused = sisters.ask(&submit("one", &bob)).await.expect(200).value();
    assert_eq!((&refused["status"], &refused["code"]), (&json!("rejected"), &json!("exposure_exhausted")));
    overdraw(bank, &due, "10.00").await;
    assert_eq!(sisters.status(&submit("two", &bob)).await, "settled");
    assert_eq!(sisters.status(&submit("three", &bob)).await, "rejected", "10.00 and no more");
    assert_eq!(sisters.other.balances(BOB).await[0], "10.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cancelled_before_it_came_is_never_credited() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    sisters.there.be_bad(&["submit", "enquire"], Bad::Cut);
    let id = sisters.hand_over("one", &bob).await;
    let reference = sisters.state(&id, "unknown").await["rail_reference"].as_str().unwrap().to_owned();
    assert_eq!(sisters.lies().await, ON_ITS_WAY);
    let cancel = format!("/payments/{id}/cancel");
    let asked = json!({"reason": "the wrong person"});
    sisters.payer.post(&sisters.payer.alice, &cancel).json(asked).await.expect(200);
    let payment = sisters.state(&id, "reversed").await;
    assert!(states(&payment).ends_with(&["cancel_requested", "cancelled", "reversed"]), "{payment:#}");
    assert_eq!(sisters.lies().await, BEFORE);
    // The submission that was lost on the line comes after all.
    for body in [submit(&reference, &bob), about("enquire", &reference), about("cancel", &reference)] {
        assert_eq!(sisters.status(&body).await, "cancelled", "{body}");
    }
    assert_eq!(sisters.lies().await, BEFORE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_too_late_is_told_that_it_is_paid() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    sisters.there.be_bad(&["submit", "enquire"], Bad::Deaf);
    let id = sisters.hand_over("one", &bob).await;
    sisters.state(&id, "unknown").await;
    let cancel = format!("/payments/{id}/cancel");
    let asked = json!({"reason": "the wrong person"});
    sisters.payer.post(&sisters.payer.alice, &cancel).json(asked).await.expect(200);
    let payment = sisters.state(&id, "settled").await;
    assert!(states(&payment).ends_with(&["cancel_requested", "settling", "settled"]), "{payment:#}");
    assert_eq!(sisters.lies().await, SETTLED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_stands_for_one_payment_and_what_is_sent_back_for_none() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    assert_eq!(sisters.status(&about("enquire", "one")).await, "not_found");
    for _ in 0..3 {
        assert_eq!(sisters.status(&submit("one", &bob)).await, "settled");
    }
    let mut other = submit("one", &bob);
    other["amount"] = "11.00".into();
    assert_eq!(sisters.ask(&other).await.problem(), (422, "reference_reused".into()));
    assert_eq!(cases(&sisters.other).await, ["reference_reused"]);
    assert_eq!(sisters.other.balances(BOB).await[0], "10.00");

    let id = sisters.hand_over("two", &bob).await;
    let payment = sisters.state(&id, "settled").await;
    let reference = payment["rail_reference"].as_str().unwrap();
    for body in [submit(reference, &bob), about("enquire", reference), about("cancel", reference)] {
        let text = body.to_string();
        let mut ask = sisters.payer.post("", "/rails/other/questions");
        for (name, value) in sign(&key(), "q", now(), text.as_bytes()).headers() {
            ask = ask.header(name, &value);
        }
        assert_eq!(ask.text(&text).await.problem(), (401, "signature_invalid".into()), "{body}");
    }
    assert_eq!(sisters.payer.balances(BOB).await[0], "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_submission_says_nothing_about_a_payment() {
    let sisters = Sisters::with_a_nostro().await;
    let bob = sisters.number_of(BOB).await;
    let before = sisters.other.events();
    let with = |field: &str, value: Value| {
        let mut body = submit("one", &bob);
        body[field] = value;
        body
    };
    for (body, status) in [
        (with("amount", json!("0.00")), 422),
        (with("amount", json!("1.001")), 422),
        (with("currency", json!("XXQ")), 422),
        (with("reference", json!("")), 400),
        (with("reference", json!("r".repeat(129))), 400),
        (with("description", json!("a\u{0}b")), 400),
        (with("operation", json!("enquire")), 400),
        (about("cancel", &"r".repeat(129)), 400),
        (json!({"reference": "x"}), 400),
    ] {
        assert_eq!(sisters.ask(&body).await.problem().0, status, "{body}");
    }
    assert_eq!(sisters.status(&about("enquire", "one")).await, "not_found");
    assert_eq!(sisters.other.events(), before);
    let third = Key::new("t1", vec![7; 32]).unwrap();
    let forged = sisters.ask_over("payer", &third, &submit("one", &bob)).await;
    assert_eq!(forged.problem(), (401, "signature_invalid".into()));
}
