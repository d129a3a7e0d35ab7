//! In doubt: what is prepared and not decided, who asks whom, and what a person may do.

use super::line::Bad;
use super::*;

/// The coordinator decided and cannot be heard: the participant asks, and is told.
#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_a_promise_asks_the_coordinator() {
    let sisters = Sisters::with(400).await;
    sisters.there.be_bad(&["commit"], Bad::Cut);
    let id = sisters.pay("one").await.expect(201).id();
    sisters.state(&id, "settling").await;
    let promise = sisters.promise(|promise| promise["state"] == "committed").await;
    assert_eq!(sisters.back.heard(), ["decision"]);
    assert_eq!(promise["heuristic"], false);
    assert_eq!(sisters.money().await, PAID);
    sisters.there.be_good();
    sisters.state(&id, "settled").await;
    sisters.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_coordinator_has_not_decided_a_promise_waits() {
    let sisters = Sisters::open().await;
    sisters.there.be_bad(&["prepare"], Bad::Deaf);
    let id = sisters.pay("one").await.expect(201).id();
    let reference = sisters.state(&id, "unknown").await["rail_reference"].clone();
    sisters.promise(|promise| promise["state"] == "prepared").await;
    // Asked in our own name: nothing is known here of a deadline a minute away.
    let body = about("decision", reference.as_str().unwrap()).to_string();
    let mut ask = sisters.payer.post("", "/rails/other/questions");
    for (name, value) in sign(&key(), "q", now(), body.as_bytes()).headers() {
        ask = ask.header(name, &value);
    }
    assert_eq!(ask.text(&body).await.expect(200).value()["status"], "undecided");
    assert_eq!(sisters.money().await, RESERVED);
    let text = sisters.other.metrics().await;
    for line in ["bankcore_in_doubt 1", "bankcore_in_doubt_money{currency=\"BDT\"} 10.00"] {
        assert!(text.lines().any(|one| one == line), "{line} in {text}");
    }
}

/// What no one answers becomes a case; what is prepared stays prepared.
#[tokio::test(flavor = "multi_thread")]
async fn no_time_ends_a_promise_and_a_person_is_told() {
    let sisters = Sisters::with(400).await;
    sisters.there.be_bad(&["commit"], Bad::Cut);
    sisters.back.be_bad(&["decision"], Bad::Cut);
    let id = sisters.pay("one").await.expect(201).id();
    sisters.state(&id, "settling").await;
    until_cases(&sisters.other, &["in_doubt"]).await;
    let list = sisters.other.get(&sisters.other.auditor, "/in-doubt").await.expect(200).value();
    let promise = &list["items"][0];
    assert_eq!((&promise["state"], &promise["overdue"]), (&json!("prepared"), &json!(true)));
    assert_eq!((&promise["amount"], &promise["rail"]), (&json!("10.00"), &json!("payer")));
    sisters.back.be_good();
    sisters.promise(|promise| promise["state"] == "committed").await;
    assert!(cases(&sisters.other).await.is_empty(), "the answer ended the case");
    let list = sisters.other.get(&sisters.other.auditor, "/in-doubt").await.expect(200).value();
    assert_eq!(list["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_agrees_with_the_coordinator_has_done_no_harm() {
    let sisters = Sisters::with(400).await;
    sisters.there.be_bad(&["commit"], Bad::Cut);
    sisters.back.be_bad(&["decision"], Bad::Cut);
    let id = sisters.pay("one").await.expect(201).id();
    until_cases(&sisters.other, &["in_doubt"]).await;
    let promise = sisters.promise(|promise| promise["state"] == "prepared").await;
    let decided = sisters.decide(&promise, "commit").await.expect(200).value();
    assert_eq!((&decided["state"], &decided["heuristic"]), (&json!("committed"), &json!(true)));
    assert!(cases(&sisters.other).await.is_empty());
    sisters.there.be_good();
    sisters.state(&id, "settled").await;
    assert_eq!(sisters.money().await, PAID);
    assert_eq!(cases(&sisters.other).await, Vec::<String>::new());
    sisters.check().await;
}

/// The operator gave up what the coordinator had committed: no money moves by either's word afterwards, and both
/// banks have a person look at it.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_who_contradicts_the_coordinator_gives_both_banks_a_case() {
    let sisters = Sisters::with(400).await;
    sisters.there.be_bad(&["commit"], Bad::Cut);
    sisters.back.be_bad(&["decision"], Bad::Cut);
    let id = sisters.pay("one").await.expect(201).id();
    until_cases(&sisters.other, &["in_doubt"]).await;
    let promise = sisters.promise(|promise| promise["state"] == "prepared").await;
    let nobody = sisters.decide(&promise, "perhaps").await;
    assert_eq!(nobody.problem(), (400, "malformed_request".into()));
    let decided = sisters.decide(&promise, "abort").await.expect(200).value();
    assert_eq!((&decided["state"], &decided["decision"]), (&json!("aborted"), &json!("abort")));
    assert_eq!(
        (&decided["decided_by"], &decided["reason"]),
        (&json!("operations"), &json!("confirmed by letter"))
    );
    assert_eq!(sisters.decide(&promise, "commit").await.problem(), (422, "not_in_doubt".into()));
    let torn = ["90.00", "90.00", "10.00", "0.00", "0.00"];
    assert_eq!(sisters.money().await, torn);

    sisters.there.be_good();
    let payment = sisters.state(&id, "settled").await;
    let last = payment["timeline"].as_array().unwrap().last().unwrap();
    assert_eq!(last["observed"], "heuristic_aborted");
    until_cases(&sisters.other, &["heuristic_outcome"]).await;
    // That it had taken long was a case as well, and ended.
    until_cases(&sisters.payer, &["heuristic_outcome"]).await;
    assert_eq!(sisters.money().await, torn);
    let kept = sisters.promise(|promise| promise["coordinator_said"] == "commit").await;
    assert_eq!((&kept["state"], &kept["heuristic"]), (&json!("aborted"), &json!(true)));
    let seen: Vec<&str> =
        kept["timeline"].as_array().unwrap().iter().map(|line| line["observed"].as_str().unwrap()).collect();
    assert!(seen.ends_with(&["operator_abort", "posted", "told_commit"]), "{seen:?}");
    let trail = sisters.other.get(&sisters.other.auditor, "/audit?limit=500").await.value();
    let decisions: Vec<_> =
        trail["items"].as_array().unwrap().iter().filter(|one| one["object"] == "promise").collect();
    assert_eq!(decisions.len(), 1, "{decisions:#?}");
    assert_eq!((&decisions[0]["action"], &decisions[0]["actor"]), (&json!("decide"), &json!("operations")));
    assert_eq!(decisions[0]["after"]["reason"], "confirmed by letter");
}

/// A coordinator that was set back to yesterday does not know what it asked for: that is no abort.
#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_has_forgotten_is_a_case_and_no_abort() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    let answer = sisters.ask(&prepare("forgotten", &bob)).await.expect(200).value();
    assert_eq!(answer["status"], "prepared");
    until_cases(&sisters.other, &["coordinator_forgot"]).await;
    let promise = sisters.promise(|promise| promise["state"] == "prepared").await;
    sisters.decide(&promise, "abort").await.expect(200);
    assert!(cases(&sisters.other).await.is_empty());
    assert_eq!(sisters.money().await, START);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_and_who_may_decide() {
    let sisters = Sisters::open().await;
    let bob = sisters.number_of(BOB).await;
    sisters.ask(&prepare("one", &bob)).await.expect(200);
    let promise = sisters.promise(|promise| promise["state"] == "prepared").await;
    let path = format!("/in-doubt/{}", promise["id"].as_str().unwrap());
    let bank = &sisters.other;
    for (who, token, reads, decides) in [
        ("teller", &bank.teller, 403, 403),
        ("bob", &bank.bob, 403, 403),
        ("auditor", &bank.auditor, 200, 403),
        ("operations", &bank.operations, 200, 200),
    ] {
        assert_eq!(bank.get(token, &path).await.status, reads, "{who}");
        assert_eq!(bank.get(token, "/in-doubt").await.status, reads, "{who}");
        let body = json!({"decision": "abort", "reason": "because"});
        assert_eq!(bank.post(token, &format!("{path}/decide")).json(body).await.status, decides, "{who}");
    }
    let none = json!({"decision": "abort", "reason": " "});
    let answer = bank.post(&bank.operations, &format!("{path}/decide")).json(none).await;
    assert_eq!(answer.problem(), (400, "malformed_request".into()), "a reason is for ever");
    assert_eq!(bank.get(&bank.auditor, "/in-doubt/x").await.status, 404);
    assert_eq!(bank.get(&bank.auditor, "/in-doubt?state=lost").await.status, 400);
}
