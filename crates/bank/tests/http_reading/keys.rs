//! API keys and the audit trail.

use axum::http::Method;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::bank::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_from_its_making_to_its_end() {
    let bank = Bank::open().await;
    let wish = json!({"name": "Bob's phone", "principal": "bob", "role": "customer", "accounts": ["5"],
        "expires_at": "2999-01-01T00:00:00Z"});
    let made = bank.post(&bank.admin, "/keys", "", wish).await;
    // The empty key of idempotency in the header does not matter here.
    let made = made.expect(201).value();
    let (key, prefix, id) = (made["key"].as_str().unwrap(), made["prefix"].as_str().unwrap(), &made["id"]);
    assert!(key.starts_with(&format!("bck_{prefix}_")));
    bank.get(key, "/accounts/5").await.expect(200);
    assert_eq!(bank.get(key, "/accounts/3").await.status, 404);

    let listed = bank.pages(&bank.auditor, "/keys?limit=2").await;
    assert_eq!(listed.len(), 7);
    let shown = listed.iter().find(|one| one["id"] == *id).unwrap();
    assert_eq!((&shown["status"], &shown["created_by"]), (&json!("live"), &json!("admin")));
    assert!(listed.iter().all(|one| one.get("key").is_none() && one.get("hash").is_none()));

    assert_eq!(bank.get(&bank.operations, "/keys").await.problem(), (403, "forbidden".into()));
    let revoke = async |token: &str, name: &str| {
        bank.send(Method::DELETE, token, &format!("/keys/{name}"), None, None).await
    };
    assert_eq!(revoke(&bank.auditor, prefix).await.problem(), (403, "forbidden".into()));
    revoke(&bank.admin, prefix).await.expect(204);
    assert_eq!(bank.get(key, "/accounts/5").await.problem(), (401, "unauthenticated".into()));
    revoke(&bank.admin, id.as_str().unwrap()).await.expect(204);
    assert_eq!(revoke(&bank.admin, "nothing").await.problem(), (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_makes_no_sense_is_not_made() {
    let bank = Bank::open().await;
    let good = json!({"name": "n", "principal": "p", "role": "auditor"});
    for (more, status, code) in [
        (json!({"role": "king"}), 400, "malformed_request"),
        (json!({"principal": "internal:payments"}), 400, "malformed_request"),
        (json!({"principal": "a b"}), 400, "malformed_request"),
        (json!({"expires_at": "tomorrow"}), 400, "malformed_request"),
        (json!({"colour": "red"}), 400, "malformed_request"),
        (json!({"accounts": [5]}), 400, "malformed_request"),
        (json!({"name": ""}), 422, "key_not_possible"),
        (json!({"expires_at": "2020-01-01T00:00:00Z"}), 422, "key_not_possible"),
        (json!({"accounts": ["5"]}), 422, "key_not_possible"),
        (json!({"drawer_account_id": "1"}), 422, "key_not_possible"),
        (json!({"role": "customer"}), 422, "key_not_possible"),
        (json!({"role": "customer", "accounts": ["5", "99"]}), 404, "account_not_found"),
        (json!({"role": "banker", "drawer_account_id": "99"}), 404, "account_not_found"),
        (json!({"role": "banker", "drawer_account_id": "5"}), 422, "wrong_account_type"),
    ] {
        let mut wish = good.clone();
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        let answer = bank.post(&bank.admin, "/keys", "k", wish).await;
        assert_eq!(answer.problem(), (status, code.into()), "{more}");
    }
    assert_eq!(bank.post(&bank.operations, "/keys", "k", good).await.problem(), (403, "forbidden".into()));
    assert_eq!(bank.pages(&bank.auditor, "/keys").await.len(), 6);
}

async fn attempts(bank: &Bank) -> Vec<Value> {
    bank.app.flush_attempts().await;
    let records = bank.get(&bank.auditor, "/audit?limit=500").await.expect(200).value();
    let records = records["items"].as_array().unwrap().iter();
    records.filter(|record| record["action"] == "refused_attempt").cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_attempts_are_counted_and_told() {
    let bank = Bank::open().await;
    assert_eq!(attempts(&bank).await, Vec::<Value>::new(), "nobody was turned away");
    for _ in 0..30 {
        bank.get(&bank.alice, "/trial-balance").await.expect(403);
    }
    let mut wrong = bank.alice.clone();
    wrong.pop();
    wrong.push('A');
    let unknown = wrong.replace("bck_", "bck_0");
    for _ in 0..3 {
        bank.get(&wrong, "/accounts/3").await.expect(401);
        bank.get(&unknown, "/accounts/3").await.expect(401);
        bank.get("", "/accounts/3").await.expect(401);
        bank.get(&bank.alice, "/accounts/5").await.expect(404);
    }
    let mut told: Vec<_> =
        attempts(&bank).await.into_iter().map(|record| json!([record["actor"], record["after"]])).collect();
    told.sort_by_key(Value::to_string);
    assert_json_snapshot!(told);
    assert_eq!(attempts(&bank).await.len(), 2, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_trail_goes_on_where_it_was_left() {
    let bank = Bank::open().await;
    let first = bank.get(&bank.auditor, "/audit?limit=4").await.expect(200);
    assert_eq!(first.header("link"), Some("</api/v1/audit?limit=4&after=4>; rel=\"next\""));
    let redacted = bank.golden(&first);
    assert_json_snapshot!("audit", {".items[].object_id" => "[key]", ".items[].hash" => "[hash]"}, redacted);
    let mut after = "0".to_owned();
    let mut seen = Vec::new();
    loop {
        let page =
            bank.get(&bank.auditor, &format!("/audit?limit=3&after={after}")).await.expect(200).value();
        let items = page["items"].as_array().unwrap().clone();
        after = page["next_after"].as_str().unwrap().to_owned();
        if items.is_empty() {
            break;
        }
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().parse::<u64>().unwrap()));
    }
    assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
    for token in [&bank.alice, &bank.teller, &bank.operations] {
        assert_eq!(bank.get(token, "/audit").await.problem(), (403, "forbidden".into()));
    }
    bank.get(&bank.auditor, "/audit?after=18446744073709551615").await.expect(200);
}
