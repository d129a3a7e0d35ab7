//! The audit trail beside the books, edited by somebody who owns the database: what `verify --store` finds out.

use bank::database::Actor;
use bank::identity::{KeyMaterial, Role};
use bank::service::{self, BusinessDays, Settings};
use bank::verify::{self, Report};

use super::homes::{Home as _, NOW, Server};
use super::keys::new;

/// A bank with records 1 to 3, a business day that was opened when 3 was the newest, and records 4 and 5.
async fn bank() -> Server {
    let home = Server::fresh().await;
    let dir = tempfile::tempdir().unwrap();
    for (days, keys) in [(BusinessDays::Manual, 1..=3), (BusinessDays::Calendar, 4..=5)] {
        let settings = Settings { business_days: days, ..Settings::default() };
        let service = service::open_database(dir.path(), &home.settings(), &settings).await.unwrap();
        for n in keys {
            let material = KeyMaterial::from_bytes(&[n; KeyMaterial::BYTES]);
            let by = Actor::new("root", "command line");
            service.keys.create_key(new(Role::Admin), &by, &material, NOW).await.unwrap();
        }
        service.close().await;
    }
    home
}

async fn verified(home: &Server) -> Report {
    let nowhere = std::path::Path::new("/nowhere");
    verify::verify_database(&home.settings(), nowhere, Box::new(|_, _| ())).await.unwrap()
}

fn told(report: &Report) -> (bool, String) {
    let check = report.checks.iter().find(|check| check.name == "database").unwrap();
    assert_eq!(report.ok(), report.checks.iter().all(|check| check.ok));
    (check.ok, check.detail.clone())
}

/// The triggers are out of the way, and foreign keys too.
async fn spoil(home: &Server, sql: &str) {
    let triggers =
        ["audit_records_unchanged", "audit_records_stay", "audit_chain_unchanged", "audit_chain_stays"];
    let triggers = triggers.map(|name| format!("DROP TRIGGER {name};")).concat();
    home.by_hand(&format!("SET foreign_key_checks = 0; {triggers} {sql}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_services_wrote_is_accepted() {
    let home = bank().await;
    let report = verified(&home).await;
    assert!(report.ok(), "{report:?}");
    assert_eq!(told(&report), (true, String::new()));
    let checked = report.checks.iter().find(|check| check.name == "database").unwrap().checked;
    assert_eq!(checked, 5 + 5, "records and keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_edits_the_trail_by_hand_is_found_out() {
    for (sql, expected) in [
        ("UPDATE audit_records SET actor = 'nobody' WHERE id = 2", "audit record 2 is not what was chained"),
        ("UPDATE audit_chain SET hash = REPEAT('x', 32) WHERE id = 4", "audit record 4 is not what"),
        ("DELETE FROM audit_records WHERE id = 3", "audit record 3 is missing"),
        (
            "DELETE FROM audit_records WHERE id > 4; DELETE FROM audit_chain WHERE id > 4",
            "audit record 5 is missing: the end of the trail was cut off",
        ),
        (
            "DELETE FROM audit_records WHERE id > 2; DELETE FROM audit_chain WHERE id > 2; \
             DROP TRIGGER audit_head_rises; UPDATE audit_head SET newest = 2",
            "names audit record 3, which is not there",
        ),
        (
            "DROP TRIGGER api_keys_made; INSERT INTO api_keys \
             (id, prefix, hash, name, principal, role, created_at, created_by) \
             VALUES (REPEAT('x', 16), 'xxxxxxxx', REPEAT('x', 32), 'n', 'thief', 'admin', 1, 'x')",
            "1 API keys have no audit record",
        ),
    ] {
        let home = bank().await;
        spoil(&home, sql).await;
        let report = verified(&home).await;
        let (ok, detail) = told(&report);
        assert!(!ok, "{sql}");
        assert!(detail.contains(expected), "{sql}: {detail}");
        let guards = report.checks.iter().find(|check| check.name == "guards").unwrap();
        assert!(guards.detail.contains("trigger audit_records_stay is missing"), "{}", guards.detail);
    }
}

/// A change that bypassed the services is recorded by a trigger, which cannot hash. That is no damage.
#[tokio::test(flavor = "multi_thread")]
async fn what_bypassed_the_services_is_told_and_chained_later() {
    let home = bank().await;
    home.by_hand("UPDATE api_keys SET name = 'x' LIMIT 1").await.unwrap();
    home.by_hand("SET @bankcore_actor = 'anna'; UPDATE api_keys SET name = 'y' LIMIT 1").await.unwrap();
    let (ok, detail) = told(&verified(&home).await);
    assert!(ok && detail.contains("2 audit records of changes that bypassed the service"), "{detail}");
    home.open().await.close().await;
    assert_eq!(told(&verified(&home).await), (true, String::new()));
    let records = bank::database::audit::list(&home.open().await, 5, 10).await.unwrap();
    assert_eq!(records.iter().map(|r| r.actor.as_str()).collect::<Vec<_>>(), ["outside", "anna"]);
}
