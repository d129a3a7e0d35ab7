//! Notices: believed if they are signed, counted once, and never a way to move money twice.

use bank::payments::rail::signature::{Key, Signed, sign};
use serde_json::json;

use super::rail::Say;
use super::*;

fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

impl Paying {
    /// The rail tells something.
    pub(super) async fn notice(&self, body: &Value) -> Answer {
        let body = body.to_string();
        self.signed(&sign(&rail::key(), "ntc_1", now(), body.as_bytes()), &body).await
    }

    async fn signed(&self, signed: &Signed, body: &str) -> Answer {
        let mut ask = self.bank.post("", "/rails/test/notices");
        for (name, value) in signed.headers() {
            ask = ask.header(name, &value);
        }
        ask.text(body).await
    }

    /// What the audit trail says of notices that were turned away: why, and how often.
    async fn turned_away(&self) -> Vec<(String, u64)> {
        self.bank.flush_attempts().await;
        let trail = self.bank.get(&self.bank.auditor, "/audit?limit=500").await.value();
        let refused =
            trail["items"].as_array().unwrap().iter().filter(|one| one["action"] == "refused_notice");
        let mut why: Vec<_> = refused
            .map(|one| {
                (one["after"]["why"].as_str().unwrap().to_owned(), one["after"]["times"].as_u64().unwrap())
            })
            .collect();
        why.sort();
        why
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_and_stale_notices_are_refused_and_recorded() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Status("accepted")]);
    let id = paying.pay("one").await.expect(201).id();
    let reference = paying.state(&id, "accepted").await["rail_reference"].clone();
    let body = json!({"notice": "payment", "reference": reference, "status": "rejected"}).to_string();
    let good = sign(&rail::key(), "n", now(), body.as_bytes());
    let other = Key::new("k1", vec![9; 32]).unwrap();
    let unknown = Key::new("k9", vec![9; 32]).unwrap();
    for (what, signed) in [
        ("another secret", sign(&other, "n", now(), body.as_bytes())),
        ("an unknown key", sign(&unknown, "n", now(), body.as_bytes())),
        ("another body", sign(&rail::key(), "n", now(), b"{}")),
        ("another id", Signed { id: "m".into(), ..good.clone() }),
    ] {
        let answer = paying.signed(&signed, &body).await;
        assert_eq!(answer.problem(), (401, "signature_invalid".into()), "{what}");
    }
    let unsigned = paying.bank.post("", "/rails/test/notices").text(&body).await;
    assert_eq!(unsigned.problem(), (401, "signature_invalid".into()));
    let old = sign(&rail::key(), "n", now() - 302_000_000, body.as_bytes());
    assert_eq!(paying.signed(&old, &body).await.problem(), (401, "signature_stale".into()));
    assert_eq!(paying.payment(&id).await["state"], "accepted", "none of them moved anything");
    assert_eq!(paying.turned_away().await, [("forged".to_owned(), 5), ("stale".to_owned(), 1)]);

    let answer = paying.signed(&good, &body).await.expect(200);
    let header = |name: &'static str| answer.header(name);
    let signed = Signed::read(header).unwrap();
    assert_eq!(signed.verify(&[rail::key()], now(), answer.text.as_bytes()), Ok(()));
    assert_eq!(signed.id, "n", "the answer names the notice that it answers");
    paying.state(&id, "reversed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_key_signs_nothing_any_more() {
    let paying = Paying::open().await;
    let made = paying.bank.admin("/rails/test/keys").json(json!({"key_id": "k2"})).await.expect(201).value();
    let second = Key::from_text("k2", made["secret"].as_str().unwrap()).unwrap();
    let body = json!({"notice": "payment", "reference": "x", "status": "settled"}).to_string();
    let told = async |key: &Key| paying.signed(&sign(key, "n", now(), body.as_bytes()), &body).await.status;
    assert_eq!((told(&rail::key()).await, told(&second).await), (404, 404), "both are believed");
    let path = "/rails/test/keys/k1";
    paying.bank.ask(axum::http::Method::DELETE, &paying.bank.admin, path).send().await.expect(204);
    assert_eq!((told(&rail::key()).await, told(&second).await), (401, 404));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_for_an_unknown_payment_is_told_and_recorded() {
    let paying = Paying::open().await;
    let answer =
        paying.notice(&json!({"notice": "payment", "reference": "nobody", "status": "settled"})).await;
    assert_eq!(answer.problem(), (404, "not_found".into()));
    assert_eq!(paying.turned_away().await, [("unknown_payment".to_owned(), 1)]);
    let answer = paying.notice(&json!({"notice": "payment", "reference": "x", "status": "paid"})).await;
    assert_eq!(answer.problem(), (400, "malformed_request".into()));
    assert_eq!(paying.bank.post("", "/rails/nowhere/notices").text("{}").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rail_that_contradicts_itself_moves_no_money() {
    let paying = Paying::open().await;
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.state(&id, "settled").await;
    let money = paying.money().await;
    let told = json!({"notice": "payment", "reference": payment["rail_reference"], "status": "rejected"});
    for _ in 0..3 {
        paying.notice(&told).await.expect(200);
    }
    // What is old, or said twice, is no contradiction.
    for status in ["settled", "accepted", "not_found", "cancel_denied"] {
        let told = json!({"notice": "payment", "reference": payment["rail_reference"], "status": status});
        paying.notice(&told).await.expect(200);
    }
    let cases = paying.cases().await;
    assert_eq!(cases.len(), 1);
    assert_eq!((&cases[0]["kind"], &cases[0]["payment_id"]), (&json!("contradiction"), &json!(id)));
    assert_eq!(cases[0]["evidence"]["observed"], "rejected");
    assert_eq!(paying.payment(&id).await["state"], "settled");
    assert_eq!(paying.money().await, money);
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_tell_of_payments_and_cases() {
    let paying = Paying::open().await;
    paying.rail.say("submit", &[Say::Nothing]);
    paying.rail.say("enquire", &[Say::Nothing]);
    let id = paying.pay("one").await.expect(201).id();
    paying.until(&id, |payment| payment["held"] == true).await;
    let text = paying.bank.metrics().await;
    for line in [
        "bankcore_payments{state=\"unknown\"} 1",
        "bankcore_cases_open{kind=\"unknown_outcome\"} 1",
        "bankcore_money_at_risk{currency=\"BDT\"} 10.00",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} in {text}");
    }
}
