//! Who may do what, seen from outside: 403 for what a role may not, 404 for what is somebody else's.

use serde_json::json;

use crate::bank::*;

#[tokio::test]
async fn what_is_not_allowed_leaves_no_trace() {
    let bank = Bank::open().await;
    bank.fund(ALICE, "100.00").await;
    let before = bank.events();
    let cash = |drawer: Option<&str>| {
        let mut body = json!({"account_id": ALICE, "amount": "1.00", "currency": "BDT"});
        if let Some(drawer) = drawer {
            body["drawer_account_id"] = drawer.into();
        }
        body
    };
    let pay = |from: &str, to: &str| json!({"from_account_id": from, "to_account_id": to, "amount": "1.00", "currency": "BDT"});
    let entries = json!({"entries": [
        {"account_id": DRAWER, "side": "debit", "amount": "1.00", "currency": "BDT"},
        {"account_id": CAPITAL, "side": "credit", "amount": "1.00", "currency": "BDT"}]});
    let table = [
        ("a teller's own drawer only", &bank.teller, "/banker/deposits", cash(Some(OTHER_DRAWER)), 403),
        ("", &bank.teller, "/banker/withdrawals", cash(Some(OTHER_DRAWER)), 403),
        ("an admin names a drawer", &bank.admin, "/banker/deposits", cash(None), 422),
        ("a customer has no counter", &bank.alice, "/banker/deposits", cash(Some(DRAWER)), 403),
        ("an auditor reads", &bank.auditor, "/banker/deposits", cash(Some(DRAWER)), 403),
        ("a drawer is no customer", &bank.teller, "/transactions/transfer", pay(DRAWER, OTHER_DRAWER), 403),
        ("not the bank's capital", &bank.teller, "/transactions/transfer", pay(CAPITAL, ALICE), 403),
        ("somebody else's money", &bank.bob, "/transactions/transfer", pay(ALICE, BOB), 404),
        ("nobody's money", &bank.bob, "/transactions/transfer", pay("999", BOB), 404),
        ("operations do not transfer", &bank.operations, "/transactions/transfer", pay(ALICE, BOB), 403),
        ("tellers do not post entries", &bank.teller, "/transactions", entries.clone(), 403),
        ("customers neither", &bank.alice, "/transactions", entries, 403),
        ("nor reverse", &bank.alice, "/transactions/20/reversal", json!({}), 403),
        ("tellers neither", &bank.teller, "/transactions/20/reversal", json!({}), 403),
        ("somebody else's funds", &bank.bob, "/holds", cash(None), 404),
        ("a teller closes nothing", &bank.teller, "/accounts/4/close", json!({}), 403),
        ("and unfreezes nothing", &bank.teller, "/accounts/4/unfreeze", json!({}), 403),
        ("and freezes customers only", &bank.teller, "/accounts/1/freeze", json!({}), 403),
        ("a customer freezes nothing", &bank.alice, "/accounts/4/freeze", json!({}), 403),
    ];
    let mut wrong = Vec::new();
    for (what, token, path, body, status) in table {
        let answer = bank.post(token, path).key("k").json(body).await;
        if answer.problem().0 != status {
            wrong.push(format!("{what}: {path} {status} {}", answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let drawer = bank.admin("/banker/deposits").key("k").json(cash(None)).await;
    assert_eq!(drawer.problem(), (422, "drawer_required".into()));
    assert_eq!(bank.events(), before);
}

#[tokio::test]
async fn without_a_key_there_is_nothing() {
    let bank = Bank::open().await;
    for path in ["/banker/deposits", "/transactions", "/transactions/batch", "/holds", "/accounts"] {
        let answer = bank.post("bck_00000000_wrong", path).key("k").json(json!({})).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".into()), "{path}");
    }
}
