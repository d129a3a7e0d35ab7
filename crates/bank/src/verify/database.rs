//! The bank database: SQLite's own check, the schema with every trigger as it was made, keys, and the audit trail.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::audit::{self, Anchored, Told};
use super::report::Check;
use crate::database::FILE_NAME;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations/sqlite");

const SCHEMA: &str = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema
    WHERE name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations' ORDER BY type, name";

type Part = (String, String, String);

/// Checks the bank database of a folder.
pub(super) async fn check(dir: &Path, bank: [u8; 16], anchors: &[Anchored]) -> Check {
    let mut told = Told::default();
    let checked = match look(dir, bank, anchors, &mut told).await {
        Ok(checked) => checked,
        Err(error) => {
            told.wrong.push(format!("{FILE_NAME} cannot be checked: {}", one_line(&error.to_string())));
            0
        }
    };
    let ok = told.wrong.is_empty();
    let detail = [told.wrong, told.notes].concat().join("; ");
    Check { name: "database", ok, checked, detail }
}

async fn look(dir: &Path, bank: [u8; 16], anchors: &[Anchored], told: &mut Told) -> Result<u64, sqlx::Error> {
    let wrong = &mut told.wrong;
    let path = dir.join(FILE_NAME);
    if !path.exists() {
        wrong.push(format!("{FILE_NAME} is missing; restore it from a backup"));
        return Ok(0);
    }
    let mut db = open(&path).await?;
    let problems: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(10)").fetch_all(&mut db).await?;
    if problems != ["ok"] {
        wrong.push(format!("{FILE_NAME} is damaged: {}", one_line(&problems.join(", "))));
    }
    let orphans = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut db).await?;
    if !orphans.is_empty() {
        wrong.push(format!("{} rows refer to rows that are not there", orphans.len()));
    }
    let found: Vec<u8> = sqlx::query_scalar("SELECT bank FROM bank_identity").fetch_one(&mut db).await?;
    if found != bank {
        wrong.push(format!("{FILE_NAME} belongs to another bank"));
    }
    let parts = schema(&mut db, wrong).await?;
    let keys = keys(&mut db, wrong).await?;
    let records = audit::check(&mut db, bank, anchors, told).await?;
    db.close().await?;
    Ok(parts + keys + records)
}

/// Opens without any way to write. A file without a log beside it is not in use and is read as it lies:
/// SQLite would otherwise make the log's files anew.
pub(super) async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(!Path::new(&log).exists())
        .disable_statement_logging()
        .connect()
        .await
}

/// Compares tables, indexes, views and triggers with those of a database made anew.
async fn schema(db: &mut SqliteConnection, wrong: &mut Vec<String>) -> Result<u64, sqlx::Error> {
    let version: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *db)
        .await?;
    let mut fresh = SqliteConnectOptions::new().in_memory(true).connect().await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= version) {
        sqlx::raw_sql(migration.sql.clone()).execute(&mut fresh).await?;
    }
    let expected: Vec<Part> = sqlx::query_as(SCHEMA).fetch_all(&mut fresh).await?;
    let found: Vec<Part> = sqlx::query_as(SCHEMA).fetch_all(&mut *db).await?;
    for part in &expected {
        let (kind, name, sql) = part;
        match found.iter().find(|(other_kind, other, _)| (other_kind, other) == (kind, name)) {
            None => wrong.push(format!("{kind} {name} is missing")),
            Some((_, _, other)) if other != sql => wrong.push(format!("{kind} {name} was altered")),
            Some(_) => {}
        }
    }
    let strange = |part: &&Part| !expected.iter().any(|(kind, name, _)| (kind, name) == (&part.0, &part.1));
    for (kind, name, _) in found.iter().filter(strange) {
        wrong.push(format!("{kind} {name} was added"));
    }
    Ok(expected.len() as u64)
}

/// Every key has the record of its making; nobody left their name behind as the one who acts.
async fn keys(db: &mut SqliteConnection, wrong: &mut Vec<String>) -> Result<u64, sqlx::Error> {
    let (keys, unrecorded): (i64, i64) = sqlx::query_as(
        "SELECT count(*), coalesce(sum(NOT EXISTS (
                SELECT 1 FROM audit_records
                 WHERE object = 'api_key' AND action = 'create' AND object_id = lower(hex(k.id)))), 0)
           FROM api_keys k",
    )
    .fetch_one(&mut *db)
    .await?;
    if unrecorded > 0 {
        wrong.push(format!("{unrecorded} API keys have no audit record"));
    }
    let acting: i64 = sqlx::query_scalar("SELECT count(*) FROM session_actor").fetch_one(&mut *db).await?;
    if acting > 0 {
        wrong.push("session_actor is not empty: somebody changed the database by hand".to_owned());
    }
    Ok(keys.cast_unsigned())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
