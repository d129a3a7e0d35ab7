//! The audit trail, edited by somebody who owns the file: what is found out, and what is not.

use std::path::Path;

use ledger::{Command, Digest, NameId, Request, Sequence};
use rstest::rstest;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use super::bank::{copy, settings};
use super::{check, failed, verify};
use crate::books::Decided;
use crate::database::chain::{self, Row};
use crate::database::{Actor, NewAuditRecord, audit};
use crate::service::{self, Service, anchor};

/// A bank with records 1 to 4, a business day that was closed when 4 was the newest, and records 5 to 7.
async fn bank() -> (TempDir, Sequence) {
    let dir = copy().await;
    let service = service::open(dir.path(), &settings()).await.unwrap();
    record(&service, 2..=4).await;
    let date = service.books.day().await.unwrap().open.unwrap();
    let key = Digest::of_key(NameId(1), "close");
    let mut request = Request::new(Command::CloseDay { date }, NameId(1)).with_key(key);
    let fingerprint = request.fingerprint;
    anchor(&service.database, &mut request).await;
    assert_eq!(request.fingerprint, fingerprint, "a retry after more was recorded is the same intent");
    let Ok(Decided::Accepted { event, .. }) = service.books.submit(request).await else { panic!() };
    record(&service, 5..=7).await;
    service.close().await;
    (dir, event.sequence)
}

async fn record(service: &Service, ids: std::ops::RangeInclusive<i64>) {
    for id in ids {
        let mut change = service.database.begin(&Actor::new("root", "console"), id).await.unwrap();
        let id = id.to_string();
        let new = NewAuditRecord { action: "try", object: "door", object_id: &id, before: None, after: None };
        audit::record(&mut change, &new).await.unwrap();
        change.commit().await.unwrap();
    }
}

/// Somebody with the file, and time to hide what was done: the triggers are there again afterwards.
async fn by_hand(dir: &Path, sql: &'static str) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(dir.join("bank.db")).foreign_keys(false);
    let mut db = options.connect().await.unwrap();
    let triggers: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name LIKE 'audit%'",
    )
    .fetch_all(&mut db)
    .await
    .unwrap();
    for (name, _) in &triggers {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut db).await.unwrap();
    }
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    for (_, sql) in triggers {
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    }
    db
}

const CUT: &str = "DELETE FROM audit_records WHERE id > 6; DELETE FROM audit_chain WHERE id > 6";
const CUT_AND_COUNTED: &str = "DELETE FROM audit_records WHERE id > 6; DELETE FROM audit_chain WHERE id > 6;
    UPDATE sqlite_sequence SET seq = 6 WHERE name = 'audit_records'";
const CUT_DEEP_AND_COUNTED: &str =
    "DELETE FROM audit_records WHERE id > 3; DELETE FROM audit_chain WHERE id > 3;
    UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit_records'";
const PUT_BETWEEN: &str = "UPDATE audit_records SET id = -id - 1 WHERE id > 2;
    UPDATE audit_records SET id = -id WHERE id < 0;
    UPDATE audit_chain SET id = -id - 1 WHERE id > 2; UPDATE audit_chain SET id = -id WHERE id < 0;
    INSERT INTO audit_records SELECT 3, at, actor, origin, action, object, 'x', NULL, NULL FROM audit_records WHERE id = 2;
    INSERT INTO audit_chain VALUES (3, randomblob(32))";
const PUT_AT_THE_END: &str = "INSERT INTO audit_records (at, actor, action, object, object_id)
    VALUES (1, 'root', 'try', 'door', 'x')";

#[rstest]
#[case::untouched("SELECT 1", None)]
#[case::edited(
    "UPDATE audit_records SET actor = 'nobody' WHERE id = 3",
    Some("audit record 3 is not what was chained")
)]
#[case::edited_hash(
    "UPDATE audit_chain SET hash = randomblob(32) WHERE id = 5",
    Some("audit record 5 is not what")
)]
#[case::taken_out("DELETE FROM audit_records WHERE id = 3", Some("audit record 3 is missing"))]
#[case::taken_out_whole(
    "DELETE FROM audit_records WHERE id = 3; DELETE FROM audit_chain WHERE id = 3",
    Some("audit record 3 is missing")
)]
#[case::put_between(PUT_BETWEEN, Some("audit record 3 is not what was chained"))]
#[case::put_at_the_end(PUT_AT_THE_END, Some("audit record 8 was put in by hand"))]
#[case::cut(CUT, Some("audit record 7 is missing: the end of the trail was cut off"))]
#[case::cut_deep(CUT_DEEP_AND_COUNTED, Some("names audit record 4, which is not there"))]
/// What nothing can tell: records since the newest business day, gone together with SQLite's count of them.
#[case::cut_behind_the_newest_day(CUT_AND_COUNTED, None)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_edits_the_trail_by_hand_is_found_out(#[case] sql: &'static str, #[case] told: Option<&str>) {
    let (dir, _) = bank().await;
    by_hand(dir.path(), sql).await.close().await.unwrap();
    let report = verify(dir.path()).await;
    let detail = &check(&report, "database").detail;
    match told {
        None => assert!(report.ok() && detail.is_empty(), "{detail}"),
        Some(told) => {
            assert_eq!(failed(&report), ["database"]);
            assert!(detail.contains(told), "{detail}");
        }
    }
}

/// The hashes need no secret: who edits a record can make all of them anew. The journal has the old one.
#[tokio::test(flavor = "multi_thread")]
async fn a_trail_that_was_made_anew_is_not_the_one_that_the_business_day_names() {
    let (dir, day) = bank().await;
    let edit = "UPDATE audit_records SET actor = 'nobody' WHERE id = 2; DELETE FROM audit_chain";
    let mut db = by_hand(dir.path(), edit).await;
    let bank: Vec<u8> =
        sqlx::query_scalar("SELECT bank FROM bank_identity").fetch_one(&mut db).await.unwrap();
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM audit_records ORDER BY id").fetch_all(&mut db).await.unwrap();
    let mut hash = chain::start(&bank);
    for row in rows {
        hash = chain::next(&hash, &row);
        let insert = sqlx::query("INSERT INTO audit_chain VALUES (?, ?)").bind(row.id).bind(hash.to_vec());
        insert.execute(&mut db).await.unwrap();
    }
    db.close().await.unwrap();
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["database"]);
    let detail = &check(&report, "database").detail;
    assert!(detail.contains(&format!("audit record 4 is not the one that event {day} names")), "{detail}");
}

/// A key revoked with `sqlite3` is recorded by a trigger, which cannot hash. That is no damage.
#[tokio::test(flavor = "multi_thread")]
async fn what_bypassed_the_service_is_chained_by_the_next_start() {
    let (dir, _) = bank().await;
    by_hand(dir.path(), "UPDATE api_keys SET revoked_at = 9").await.close().await.unwrap();
    let report = verify(dir.path()).await;
    assert!(report.ok(), "{:?}", report.damage);
    let detail = &check(&report, "database").detail;
    assert!(detail.contains("1 audit record of a change that bypassed the service"), "{detail}");
    service::open(dir.path(), &settings()).await.unwrap().close().await;
    let report = verify(dir.path()).await;
    assert!(report.ok() && check(&report, "database").detail.is_empty());
}
