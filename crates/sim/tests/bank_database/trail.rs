//! The audit trail as a specification: who, what, in which order, and what nobody can do to it.

use bank::database::chain::Anchor;
use bank::database::{Actor, Database, NewAuditRecord, audit};
use bank::identity::{KeyRef, Role};
use sha2::{Digest as _, Sha256};

use super::homes::{BANK, Home, NOW};
use super::keys::{Desk, new};

async fn record(database: &Database, actor: &Actor, object_id: &str) {
    let mut change = database.begin(actor, NOW).await.unwrap();
    let after = Some(serde_json::json!({"a": 1}));
    let new = NewAuditRecord { action: "try", object: "door", object_id, before: None, after };
    audit::record(&mut change, &new).await.unwrap();
    change.commit().await.unwrap();
}

async fn count(database: &Database) -> usize {
    audit::list(database, 0, 1_000).await.unwrap().len()
}

pub async fn every_change_leaves_a_record_with_its_actor<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (made, _) = desk.create(new(Role::Customer), 1).await.unwrap();
    desk.revoke(KeyRef::Id(made.id)).await.unwrap();
    home.by_hand("UPDATE api_keys SET name = 'renamed'").await.unwrap();
    home.by_hand("DELETE FROM api_key_accounts WHERE account_id = 101").await.unwrap();

    let records = audit::list(&desk.database, 0, 100).await.unwrap();
    let lines: Vec<_> = records
        .iter()
        .map(|r| {
            assert_eq!(r.object_id, made.id.simple().to_string());
            (r.id, r.actor.as_str(), r.action.as_str())
        })
        .collect();
    assert_eq!(
        lines,
        [
            (1, "root", "create"),
            (2, "root", "add_account"),
            (3, "root", "add_account"),
            (4, "root", "revoke"),
            (5, "outside", "change"),
            (6, "outside", "remove_account"),
        ]
    );
    assert!(records[..4].iter().all(|r| r.origin.as_deref() == Some("command line")));
    // A file does not know who opened it; a server does.
    let outside = records[4].origin.as_deref().unwrap_or("nobody knows");
    assert!(outside.starts_with(H::either("nobody knows", "root@")), "{outside}");
    assert_eq!((records[0].at_us, records[3].at_us), (NOW, NOW + 1));
    assert_eq!(records[4].before.as_ref().unwrap()["name"], "test");
    assert_eq!(records[4].after.as_ref().unwrap()["name"], "renamed");
    assert_eq!(records[0].after.as_ref().unwrap()["drawer_account_id"], serde_json::Value::Null);
}

pub async fn a_dropped_change_leaves_nothing_and_no_name_behind<H: Home>() {
    let home = H::fresh().await;
    let database = home.open().await;
    let actor = Actor::new("p", "192.0.2.1");
    let refused =
        NewAuditRecord { action: "refused", object: "account", object_id: "101", before: None, after: None };
    let mut change = database.begin(&actor, NOW).await.unwrap();
    audit::record(&mut change, &refused).await.unwrap();
    assert_eq!(count(&database).await, 0);
    drop(change);
    assert_eq!(count(&database).await, 0);
    // On every connection that the dropped change may have had.
    for _ in 0..8 {
        let outside = "INSERT INTO audit_records (at, actor, action, object, object_id)
                       VALUES (1, 'outside', 'try', 'door', '1')";
        sqlx::query(outside).execute(database.pool()).await.unwrap();
    }
    let records = audit::list(&database, 0, 100).await.unwrap();
    assert_eq!(records.iter().map(|r| r.id).collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert!(records.iter().all(|r| r.actor == "outside"), "{records:?}");
}

/// The hashes are part of the format: whoever checks them elsewhere computes these.
pub async fn a_hash_covers_the_one_before_it_and_every_column<H: Home>() {
    let home = H::fresh().await;
    let database = home.open().await;
    record(&database, &Actor::new("p", "here"), "1").await;

    let mut bytes = Sha256::digest([&b"bankcore audit v1"[..], &BANK].concat()).to_vec();
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 1]);
    bytes.extend(NOW.to_be_bytes());
    for text in ["p", "here", "try", "door", "1"] {
        bytes.extend([1, 0, 0, 0, text.len() as u8]);
        bytes.extend(text.bytes());
    }
    bytes.extend(b"\x00\x01\x00\x00\x00\x07{\"a\":1}");
    let record = &audit::list(&database, 0, 10).await.unwrap()[0];
    assert_eq!(record.hash, Some(Sha256::digest(bytes).into()));
    let anchor = audit::newest(&database).await.unwrap().unwrap();
    assert_eq!(Anchor::parse(&anchor.to_string()), Some(anchor));
}

pub async fn what_bypassed_the_service_is_chained_by_the_next_change_and_by_the_next_start<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    desk.create(new(Role::Admin), 1).await.unwrap();
    let unchained = async |database: &Database| {
        let records = audit::list(database, 0, 100).await.unwrap();
        records.iter().filter(|record| record.hash.is_none()).count()
    };
    home.by_hand("UPDATE api_keys SET name = 'one'").await.unwrap();
    assert_eq!(unchained(&desk.database).await, 1);
    desk.create(new(Role::Auditor), 2).await.unwrap();
    assert_eq!(unchained(&desk.database).await, 0);
    home.by_hand("UPDATE api_keys SET name = 'two'").await.unwrap();
    assert_eq!(unchained(&desk.database).await, 2);
    assert_eq!(unchained(&home.open().await).await, 0);
}

/// A template decides what customers are told, so who changed it is in the trail, from what and to what.
pub async fn a_template_of_notifications_is_in_the_trail_before_and_after<H: Home>() {
    let home = H::fresh().await;
    let database = home.open().await;
    let made = "INSERT INTO subscriptions (id, sink, name, target, principal, role, accounts, kinds, filter_accounts,
                                    templates, begins_after, created_at, created_by)
         VALUES (X'00000000000000000000000000000007', 'webhook', 'n', 'https://a.example/', 'p', 'admin', '[]', '[]',
                 '[]', '{\"posted\":\"one\"}', 0, 1, 'me')";
    home.by_hand(made).await.unwrap();
    home.by_hand("UPDATE subscriptions SET templates = '{\"posted\":\"two\"}'").await.unwrap();
    home.by_hand("UPDATE subscriptions SET templates = NULL").await.unwrap();
    assert!(home.by_hand("UPDATE subscriptions SET templates = 'two'").await.is_err(), "it is no JSON");
    let records = audit::list(&database, 0, 100).await.unwrap();
    let template = |state: &Option<serde_json::Value>| -> serde_json::Value {
        state.as_ref().map(|state| state["templates"]["posted"].clone()).unwrap_or_default()
    };
    let told: Vec<_> =
        records.iter().map(|record| (template(&record.before), template(&record.after))).collect();
    let word = serde_json::Value::from;
    let nothing = serde_json::Value::Null;
    assert_eq!(
        told,
        [(nothing.clone(), word("one")), (word("one"), word("two")), (word("two"), nothing)],
        "{records:?}"
    );
}

/// Several services at once: one trail without gaps, every record chained, nothing lost.
pub async fn changes_of_several_services_make_one_trail<H: Home>() {
    const EACH: usize = 12;
    let home = H::fresh().await;
    let mut tasks = tokio::task::JoinSet::new();
    for service in 0..3 {
        let database = home.open().await;
        tasks.spawn(async move {
            let actor = Actor::new(&format!("service {service}"), "here");
            for number in 0..EACH {
                record(&database, &actor, &number.to_string()).await;
            }
        });
    }
    tasks.join_all().await;
    let records = audit::list(&home.open().await, 0, 1_000).await.unwrap();
    let ids: Vec<i64> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids, (1..=3 * EACH as i64).collect::<Vec<_>>());
    assert!(records.iter().all(|record| record.hash.is_some()));
}

pub async fn the_database_itself_refuses<H: Home>() {
    let home = H::fresh().await;
    let desk = Desk::open(&home).await;
    let (made, _) = desk.create(new(Role::Customer), 1).await.unwrap();
    desk.revoke(KeyRef::Id(made.id)).await.unwrap();
    let before = desk.database.summary().await.unwrap();
    for (sql, message) in [
        ("DELETE FROM api_keys", "never deleted"),
        ("UPDATE api_keys SET revoked_at = NULL", "revoked is final"),
        ("UPDATE api_keys SET principal = 'q'", "make a new key"),
        ("UPDATE api_keys SET role = 'admin'", "make a new key"),
        ("UPDATE audit_records SET actor = 'somebody else'", "append-only"),
        ("DELETE FROM audit_records", "append-only"),
        ("DELETE FROM audit_chain", "append-only"),
        (
            "INSERT INTO audit_records (at, actor, action, object, object_id) VALUES (1, 'root', 'a', 'b', 'c')",
            "signed by who acts",
        ),
        (
            "INSERT INTO audit_records (id, at, actor, action, object, object_id)
             VALUES (99, 1, 'outside', 'a', 'b', 'c')",
            "without gaps",
        ),
        (
            H::either(
                "INSERT OR REPLACE INTO api_keys SELECT * FROM api_keys",
                "REPLACE INTO api_keys SELECT * FROM api_keys",
            ),
            H::either("used once", "never deleted"),
        ),
        (
            H::either(
                "UPDATE OR REPLACE api_keys SET hash = zeroblob(32)",
                "UPDATE api_keys SET hash = REPEAT('x', 32)",
            ),
            "make a new key",
        ),
        (
            H::either(
                "INSERT OR REPLACE INTO audit_records SELECT * FROM audit_records",
                "REPLACE INTO audit_records SELECT * FROM audit_records",
            ),
            H::either("append-only", "without gaps"),
        ),
        (
            H::either(
                "UPDATE audit_chain SET hash = zeroblob(32)",
                "UPDATE audit_chain SET hash = REPEAT('x', 32)",
            ),
            "append-only",
        ),
        (
            H::either(
                "INSERT OR REPLACE INTO audit_chain SELECT * FROM audit_chain",
                "REPLACE INTO audit_chain SELECT * FROM audit_chain",
            ),
            "append-only",
        ),
        (
            H::either(
                "INSERT INTO api_keys (id, prefix, hash, name, principal, role, created_at, created_by)
                 VALUES (randomblob(16), 'xxxxxxxx', randomblob(32), 'n', 'internal:payments', 'admin', 1, 'x')",
                "INSERT INTO api_keys (id, prefix, hash, name, principal, role, created_at, created_by)
                 VALUES (REPEAT('x', 16), 'xxxxxxxx', REPEAT('x', 32), 'n', 'internal:payments', 'admin', 1, 'x')",
            ),
            "constraint",
        ),
        (H::either("DELETE FROM bank_identity", "DELETE FROM audit_head"), H::either("once", "without gaps")),
        (
            H::either(
                "UPDATE bank_identity SET bank = zeroblob(16)",
                "UPDATE audit_head SET filling = 1",
            ),
            H::either("once", "without gaps"),
        ),
    ] {
        let error = home.by_hand(sql).await.expect_err(sql).to_lowercase();
        assert!(error.contains(message), "{sql}: {error}");
    }
    assert_eq!(desk.database.summary().await.unwrap(), before);
}

pub async fn the_database_of_another_bank_is_refused<H: Home>() {
    let home = H::fresh().await;
    let error = home.open_as([2; 16]).await.err().unwrap().to_string();
    assert!(error.contains(&"09".repeat(16)) && error.contains(&"02".repeat(16)), "{error}");
}
