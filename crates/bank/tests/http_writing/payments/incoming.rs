//! Money from the other side: credited once, or in suspense with a case.

use serde_json::json;

use super::*;

fn incoming(reference: &str, account: &str, amount: &str) -> Value {
    json!({
        "notice": "incoming", "reference": reference, "amount": amount, "currency": "BDT",
        "debtor": {"name": "Dora Demir", "account": "7001"},
        "beneficiary": {"name": "Alice", "account": account}, "description": "Refund"})
}

impl Paying {
    async fn number(&self, account: &str) -> String {
        let answer = self.bank.get(&self.bank.admin, &format!("/accounts/{account}")).await.value();
        answer["number"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incoming_payment_is_credited_once_by_its_reference() {
    let paying = Paying::open().await;
    let alice = paying.number(ALICE).await;
    for _ in 0..3 {
        paying.notice(&incoming("their-1", &alice, "5.00")).await.expect(200);
    }
    assert_eq!(paying.money().await, ["105.00", "0.00", "1005.00", "0.00"]);
    assert!(paying.cases().await.is_empty());
    let reused = paying.notice(&incoming("their-1", &alice, "6.00")).await;
    assert_eq!(reused.problem(), (422, "reference_reused".into()));
    let cases = paying.cases().await;
    assert_eq!((cases.len(), &cases[0]["kind"]), (1, &json!("reference_reused")));
    assert_eq!(paying.money().await[0], "105.00");
    paying.bank.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_credited_leaves_it_in_suspense_with_a_case() {
    let paying = Paying::open().await;
    let (bob, capital) = (paying.number(BOB).await, paying.number(CAPITAL).await);
    paying.bank.admin(&format!("/accounts/{BOB}/freeze")).key("freeze").json(json!({})).await.expect(200);
    for (reference, account) in [("r1", "NOBODY"), ("r2", &*bob), ("r3", &*capital)] {
        paying.notice(&incoming(reference, account, "5.00")).await.expect(200);
    }
    let start = Instant::now();
    while paying.cases().await.len() < 3 {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(paying.money().await, ["100.00", "0.00", "1015.00", "15.00"]);
    for case in paying.cases().await {
        assert_eq!((&case["kind"], &case["money_at_risk"]), (&json!("incoming_in_suspense"), &json!("5.00")));
        assert_eq!(paying.resolve(&case, "paid").await.problem(), (422, "resolution_not_possible".into()));
        paying.resolve(&case, "close").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_money_is_refused() {
    let paying = Paying::open().await;
    let alice = paying.number(ALICE).await;
    let mut euros = incoming("r", &alice, "5.00");
    euros["currency"] = "EUR".into();
    assert_eq!(paying.notice(&euros).await.problem(), (422, "currency_not_carried".into()));
    let zero = paying.notice(&incoming("r", &alice, "0.00")).await;
    assert_eq!(zero.problem(), (422, "amount_not_positive".into()));
    assert_eq!(paying.notice(&incoming("", &alice, "5.00")).await.problem().0, 400);
    assert_eq!(paying.notice(&incoming(&"r".repeat(129), &alice, "5.00")).await.problem().0, 400);
    assert_eq!(paying.money().await[0], "100.00");
}
