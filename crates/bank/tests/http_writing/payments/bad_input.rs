//! What is no payment: refused before anything is written, with a code that says why.

use serde_json::json;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rail_carries_is_refused_and_leaves_no_trace() {
    let paying = Paying::open().await;
    let mut iban = wish(paying.rail.url());
    iban["iban_required"] = true.into();
    paying.bank.put(&paying.bank.admin, "/rails/iban").json(iban).await.expect(201);
    let mut paused = wish(paying.rail.url());
    paused["paused"] = true.into();
    paying.bank.put(&paying.bank.admin, "/rails/paused").json(paused).await.expect(201);
    let before = paying.bank.events();
    let with = |path: &str, value: Value| {
        let mut order = order();
        *order.pointer_mut(path).unwrap() = value;
        order
    };
    let iban = |account: &str| {
        let mut order = with("/rail", "iban".into());
        order["beneficiary"]["account"] = account.into();
        order
    };
    let table = [
        (with("/rail", "nowhere".into()), 422, "unknown_rail"),
        (with("/rail", "paused".into()), 422, "rail_paused"),
        (with("/currency", "EUR".into()), 422, "currency_not_carried"),
        (with("/amount", "50.01".into()), 422, "amount_over_limit"),
        (with("/amount", "0.00".into()), 422, "amount_not_positive"),
        (with("/amount", "1.001".into()), 422, "too_many_decimals"),
        (with("/beneficiary/account", "".into()), 422, "beneficiary_invalid"),
        (with("/beneficiary/account", "7001;DROP".into()), 422, "beneficiary_invalid"),
        (with("/beneficiary/name", "".into()), 422, "beneficiary_invalid"),
        (with("/beneficiary/name", "x".repeat(141).into()), 422, "beneficiary_invalid"),
        (iban("GB33BUKB20201555555556"), 422, "iban_invalid"),
        (iban("7001"), 422, "iban_invalid"),
        (with("/from_account_id", BOB.into()), 404, "not_found"),
        (with("/reference", "x".repeat(129).into()), 422, "text_too_long"),
    ];
    for (order, status, code) in table {
        let answer = paying.bank.post(&paying.bank.alice, "/payments").key("k").json(order.clone()).await;
        assert_eq!(answer.problem(), (status, code.into()), "{order}");
    }
    let of_the_bank = with("/from_account_id", CAPITAL.into());
    let answer = paying.bank.admin("/payments").key("k").json(of_the_bank).await;
    assert_eq!(answer.problem(), (422, "payer_not_customer".into()));
    assert_eq!(paying.bank.events(), before);
    assert!(
        paying.bank.get(&paying.bank.admin, "/payments").await.value()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    // The limit itself, and an IBAN with spaces as people write it, pass.
    let most = with("/amount", "50.00".into());
    paying.bank.post(&paying.bank.alice, "/payments").key("most").json(most).await.expect(201);
    let good = iban("GB33 BUKB 2020 1555 5555 55");
    paying.bank.post(&paying.bank.alice, "/payments").key("iban").json(good).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_for_one_payment() {
    let paying = Paying::open().await;
    let first = paying.pay("one").await.expect(201);
    paying.state(&first.id(), "settled").await;
    let again = paying.pay("one").await.expect(201);
    assert!(again.replayed());
    assert_eq!(again.id(), first.id());
    let mut other = order();
    other["amount"] = "11.00".into();
    let reused = paying.bank.post(&paying.bank.alice, "/payments").key("one").json(other).await;
    assert_eq!(reused.problem(), (422, "idempotency_key_reused".into()));
    assert_eq!(paying.money().await[0], "90.00");
    let outcome = paying.bank.get(&paying.bank.alice, "/idempotency/one").await.expect(200).value();
    assert_eq!((&outcome["status"], &outcome["payment"]["id"]), (&json!("payment"), &json!(first.id())));
    // A key that stands for a posting stands for no payment.
    let transfer =
        json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "1.00", "currency": "BDT"});
    paying
        .bank
        .post(&paying.bank.alice, "/transactions/transfer")
        .key("two")
        .json(transfer)
        .await
        .expect(201);
    assert_eq!(paying.pay("two").await.problem(), (422, "idempotency_key_reused".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_books_refuse_to_fund_is_refused_for_ever_under_its_key() {
    let paying = Paying::open().await;
    let transfer =
        json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": "95.00", "currency": "BDT"});
    paying.bank.post(&paying.bank.alice, "/transactions/transfer").key("t").json(transfer).await.expect(201);
    let refused = paying.pay("one").await;
    assert_eq!(refused.problem(), (422, "insufficient_funds".into()));
    assert_eq!(refused.value()["shortfall"], "5.00");
    paying.bank.fund(ALICE, "100.00").await;
    let again = paying.pay("one").await;
    assert_eq!(again.problem(), (422, "insufficient_funds".into()));
    assert!(again.replayed());
    let id = refused.value()["payment_id"].as_str().unwrap().to_owned();
    assert_eq!(states(&paying.payment(&id).await), ["created", "refused"]);
    paying.pay("two").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_of_a_payment_is_not_reversed_by_hand() {
    let paying = Paying::open().await;
    let id = paying.pay("one").await.expect(201).id();
    let payment = paying.state(&id, "settled").await;
    for leg in ["funding_id", "settlement_id"] {
        let path = format!("/transactions/{}/reversal", payment[leg].as_str().unwrap());
        let answer = paying.bank.post(&paying.bank.operations, &path).key(leg).json(json!({})).await;
        assert_eq!(answer.problem(), (422, "belongs_to_payment".into()));
        assert_eq!(answer.value()["payment_id"], id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_pay_and_see() {
    let paying = Paying::open().await;
    let bank = &paying.bank;
    let id = paying.pay("one").await.expect(201).id();
    for (who, token, status) in [
        ("banker for a customer", &bank.teller, 201),
        ("operations too", &bank.operations, 201),
        ("an auditor reads", &bank.auditor, 403),
        ("somebody else's money", &bank.bob, 404),
    ] {
        let answer = bank.post(token, "/payments").key(who).json(order()).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text);
    }
    let path = format!("/payments/{id}");
    assert_eq!(bank.get(&bank.bob, &path).await.status, 404);
    assert_eq!(bank.get(&bank.alice, &path).await.status, 200);
    assert_eq!(bank.get(&bank.alice, "/payments/no-id").await.status, 404);
    let count = async |token: &str, query: &str| {
        let answer = bank.get(token, &format!("/payments{query}")).await.expect(200).value();
        answer["items"].as_array().unwrap().len()
    };
    assert_eq!((count(&bank.bob, "").await, count(&bank.alice, "").await), (0, 3));
    assert_eq!(count(&bank.auditor, "?older_than=3600").await, 0);
    paying.state(&id, "settled").await;
    assert!(count(&bank.auditor, "?state=settled").await >= 1);
    assert_eq!(bank.get(&bank.auditor, "/payments?state=lost").await.status, 400);
    let page = bank.get(&bank.auditor, "/payments?limit=2").await.value();
    let cursor = page["next_cursor"].as_str().unwrap();
    assert_eq!(count(&bank.auditor, &format!("?limit=2&cursor={cursor}")).await, 1);
    assert_eq!(bank.get(&bank.alice, "/cases").await.status, 403);
    assert_eq!(bank.put(&bank.operations, "/rails/x").json(wish("http://127.0.0.1:1")).await.status, 403);
    let seen = bank.get(&bank.alice, "/rails").await.expect(200).value();
    assert!(seen["items"][0].get("operation").is_none());
    let text = bank.get(&bank.admin, "/rails/test").await.text;
    assert!(text.contains("k1") && !text.contains("whsec"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rail_is_configured_within_its_bounds() {
    let paying = Paying::open().await;
    let bank = &paying.bank;
    let with = |name: &str, value: Value| {
        let mut rail = wish("http://127.0.0.1:1");
        rail[name] = value;
        rail
    };
    let lane = |name: &str, value: &str| {
        let mut rail = wish("http://127.0.0.1:1");
        rail["currencies"][0][name] = value.into();
        rail
    };
    let table = [
        with("url", "ftp://127.0.0.1".into()),
        with("url", "here".into()),
        with("opens", "06:00".into()),
        with("timeout_ms", 49.into()),
        with("timeout_ms", 60_001.into()),
        with("tries_max", 0.into()),
        with("tries_max", 1_001.into()),
        with("enquire_after_ms", 100.into()),
        with("settles_within_seconds", 0.into()),
        with("currencies", json!([])),
        lane("clearing_account_id", NOSTRO),
        lane("clearing_account_id", "99"),
        lane("suspense_account_id", ALICE),
        lane("settlement_account_id", CAPITAL),
    ];
    for rail in table {
        let answer = bank.put(&bank.admin, "/rails/x").json(rail.clone()).await;
        assert_eq!(answer.problem(), (422, "rail_not_possible".into()), "{rail}");
    }
    for (name, value) in [("timeout_ms", 50), ("timeout_ms", 60_000), ("tries_max", 1), ("tries_max", 1_000)]
    {
        let status = bank.put(&bank.admin, "/rails/x").json(with(name, value.into())).await.status;
        assert!(status == 200 || status == 201, "{name} {value}");
    }
    assert_eq!(bank.put(&bank.admin, "/rails/X").json(wish("http://127.0.0.1:1")).await.status, 422);
    let known = bank.admin("/rails/test/keys").json(json!({"key_id": "k1"})).await;
    assert_eq!(known.problem(), (422, "rail_key_known".into()));
    let short = bank.admin("/rails/test/keys").json(json!({"key_id": "k2", "secret": "whsec_AAAA"})).await;
    assert_eq!(short.problem(), (422, "rail_not_possible".into()));
}
