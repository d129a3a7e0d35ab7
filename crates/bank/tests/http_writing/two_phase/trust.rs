//! Who is believed: the bank at the other end of the rail, about what it asked for itself, and nobody else.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn only_the_bank_that_had_it_prepared_decides() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    // A third bank with a rail and a key of its own.
    sisters
        .other
        .put(&sisters.other.admin, "/rails/third")
        .json(rail("http://127.0.0.1:9/", 60_000))
        .await
        .expect(201);
    let third = Key::new("t1", vec![7; 32]).unwrap();
    let made = json!({"key_id": "t1", "secret": third.to_text()});
    sisters.other.admin("/rails/third/keys").json(made).await.expect(201);
    let mut patient = prepare("one", &bob);
    patient["decides_within_ms"] = 60_000.into();
    assert_eq!(sisters.ask(&patient).await.expect(200).value()["status"], "prepared");

    let said = sisters.ask_over("third", &third, &about("commit", "one")).await.expect(200).value();
    assert_eq!(said["status"], "not_found", "it is none of its own");
    sisters.ask_over("third", &third, &about("abort", "one")).await.expect(200);
    let forged = sisters.ask_over("payer", &third, &about("commit", "one")).await;
    assert_eq!(forged.problem(), (401, "signature_invalid".into()));
    let promises = sisters.promises().await;
    assert_eq!(promises[0]["state"], "prepared", "what the third bank aborted is its own reference");
    assert_eq!(sisters.ask(&about("status", "one")).await.expect(200).value()["status"], "prepared");
    assert_eq!(sisters.ask(&about("commit", "one")).await.expect(200).value()["status"], "committed");
    assert_eq!(sisters.ask(&about("commit", "one")).await.expect(200).value()["status"], "committed");
    assert_eq!(sisters.other.balances(BOB).await[0], "10.00", "once");
}

/// Both banks sign with the same key. Whoever stands between them could send a bank its own questions back.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_our_own_that_is_sent_back_counts_for_nothing() {
    let sisters = Sisters::open().await;
    let id = sisters.pay("one").await.expect(201).id();
    let payment = sisters.state(&id, "settled").await;
    let reference = payment["rail_reference"].as_str().unwrap();
    let bob = sisters.number_of(BOB).await;
    for body in [
        prepare(reference, &bob),
        about("commit", reference),
        about("abort", reference),
        about("status", reference),
    ] {
        let text = body.to_string();
        let mut ask = sisters.payer.post("", "/rails/other/questions");
        for (name, value) in sign(&key(), "q", now(), text.as_bytes()).headers() {
            ask = ask.header(name, &value);
        }
        assert_eq!(ask.text(&text).await.problem(), (401, "signature_invalid".into()), "{body}");
    }
    // The other bank's question for the decision, sent back to it.
    let answer = sisters.ask(&about("decision", reference)).await;
    assert_eq!(answer.problem(), (401, "signature_invalid".into()));
    assert_eq!(sisters.payer.balances(BOB).await[0], "0.00");
    sisters.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_under_a_known_reference_is_refused_with_a_case() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    let mut first = prepare("one", &bob);
    first["decides_within_ms"] = 60_000.into();
    assert_eq!(sisters.ask(&first).await.expect(200).value()["status"], "prepared");
    assert_eq!(sisters.ask(&first).await.expect(200).value()["status"], "prepared", "the same again");
    for (field, value) in
        [("amount", json!("11.00")), ("beneficiary", json!({"name": "Bob", "account": "X1"}))]
    {
        let mut other = first.clone();
        other[field] = value;
        assert_eq!(sisters.ask(&other).await.problem(), (422, "reference_reused".into()), "{field}");
    }
    assert_eq!(cases(&sisters.other).await, ["reference_reused"]);
    assert_eq!(sisters.other.balances(BOB).await[2], "0.00");
    assert_eq!(sisters.promises().await[0]["amount"], "10.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_the_form_changes_nothing() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    let before = sisters.other.events();
    let with = |field: &str, value: Value| {
        let mut body = prepare("one", &bob);
        body[field] = value;
        body
    };
    for (body, status) in [
        (with("amount", json!("0.00")), 422),
        (with("amount", json!("1.001")), 422),
        (with("reference", json!("")), 400),
        (with("reference", json!("r".repeat(129))), 400),
        (with("description", json!("a\u{0}b")), 400),
        (with("operation", json!("commit")), 400),
        (json!({"operation": "pay", "reference": "x"}), 400),
        (about("commit", &"r".repeat(129)), 400),
    ] {
        assert_eq!(sisters.ask(&body).await.problem().0, status, "{body}");
    }
    let refused = sisters.ask(&with("currency", json!("EUR"))).await.expect(200).value();
    assert_eq!((&refused["status"], &refused["code"]), (&json!("refused"), &json!("currency_not_carried")));
    assert_eq!(sisters.ask(&about("commit", "nothing")).await.expect(200).value()["status"], "not_found");
    assert_eq!(sisters.ask(&about("status", "nothing")).await.expect(200).value()["status"], "not_found");
    assert_eq!(sisters.other.events(), before);
    assert!(sisters.promises().await.is_empty());
    let plain = sisters.other.post("", "/rails/nowhere/questions").text("{}").await;
    assert_eq!(plain.status, 404);
}

/// A coordinator could have a beneficiary's bank wait for ever before it asks: its wish counts up to an hour.
#[tokio::test(flavor = "multi_thread")]
async fn a_promise_asks_after_an_hour_whatever_its_coordinator_wishes() {
    const HOUR_US: i64 = 3_600_000_000;
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    let mut endless = prepare("one", &bob);
    endless["decides_within_ms"] = i64::MAX.into();
    let before = now();
    assert_eq!(sisters.ask(&endless).await.expect(200).value()["status"], "prepared");
    let heard = before + HOUR_US..=now() + HOUR_US;
    let promise = sisters.promise(|promise| promise["state"] == "prepared").await;
    let deadline: jiff::Timestamp = promise["deadline"].as_str().unwrap().parse().unwrap();
    assert!(heard.contains(&deadline.as_microsecond()), "{promise:#}");
    sisters.ask(&about("abort", "one")).await.expect(200);
}
