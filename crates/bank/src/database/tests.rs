//! Opening the bank database, as a specification: each thing that can be wrong has its own answer.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rstest::rstest;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

use super::*;

const BANK: [u8; 16] = [1; 16];
const NOW: i64 = 1_800_000_000_000_000;

struct Folder {
    folder: TempDir,
}

impl Folder {
    fn empty() -> Folder {
        Folder { folder: TempDir::new().unwrap() }
    }

    async fn with_database() -> Folder {
        let folder = Folder::empty();
        Database::create(&folder.path(), BANK, NOW).await.unwrap().close().await;
        folder
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(FILE_NAME)
    }

    async fn connection(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).create_if_missing(true).connect().await.unwrap()
    }

    async fn run(&self, sql: &'static str) {
        let mut connection = self.connection().await;
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn open(&self) -> Result<Database, DatabaseError> {
        Database::open(&self.path(), BANK).await
    }

    async fn error(&self) -> DatabaseError {
        let error = self.open().await.err().expect("refused");
        let text = error.to_string();
        assert!(text.contains(FILE_NAME) && text.contains("; ") && !text.contains('\n'), "{text}");
        error
    }
}

#[tokio::test]
async fn a_new_database_is_durable_private_and_alone() {
    let folder = Folder::empty();
    let database = Database::create(&folder.path(), BANK, NOW).await.unwrap();
    for (pragma, expected) in [
        ("SELECT journal_mode FROM pragma_journal_mode", "wal"),
        ("SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous", "2"),
        ("SELECT CAST(foreign_keys AS TEXT) FROM pragma_foreign_keys", "1"),
        ("SELECT CAST(timeout AS TEXT) FROM pragma_busy_timeout", "5000"),
    ] {
        let found: String = sqlx::query_scalar(pragma).fetch_one(database.pool()).await.unwrap();
        assert_eq!(found, expected, "{pragma}");
    }
    for file in std::fs::read_dir(folder.folder.path()).unwrap().map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        assert!(["bank.db", "bank.db-wal", "bank.db-shm"].contains(&name.as_str()), "{name}");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_file_open_to_others_is_closed_to_them() {
    let folder = Folder::with_database().await;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let _database = folder.open().await.unwrap();
    assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_database_is_made_once() {
    let folder = Folder::with_database().await;
    let again = Database::create(&folder.path(), [2; 16], NOW).await.err();
    assert!(matches!(again, Some(DatabaseError::Exists { .. })), "{again:?}");
    folder.open().await.unwrap();
}

#[tokio::test]
async fn what_a_crash_left_half_made_is_made_anew() {
    let folder = Folder::empty();
    for leftover in ["bank.db-new", "bank.db-new-wal", "bank.db-new-shm"] {
        std::fs::write(folder.folder.path().join(leftover), b"half").unwrap();
    }
    Database::create(&folder.path(), BANK, NOW).await.unwrap();
}

#[tokio::test]
async fn a_missing_file_is_not_made_silently() {
    let folder = Folder::empty();
    assert!(matches!(folder.error().await, DatabaseError::Missing { .. }));
    assert!(!folder.path().exists());
}

#[tokio::test]
async fn the_database_of_another_bank_is_refused() {
    let folder = Folder::with_database().await;
    let error = Database::open(&folder.path(), [2; 16]).await.err().unwrap().to_string();
    assert!(error.contains(&"01".repeat(16)) && error.contains(&"02".repeat(16)), "{error}");
}

#[rstest]
#[case("UPDATE bank_identity SET bank = zeroblob(16)")]
#[case("DELETE FROM bank_identity")]
#[case("INSERT OR REPLACE INTO bank_identity VALUES (1, zeroblob(16), 1)")]
#[tokio::test]
async fn a_database_keeps_its_bank(#[case] sql: &'static str) {
    let folder = Folder::with_database().await;
    let error = sqlx::query(sql).execute(&mut folder.connection().await).await.unwrap_err().to_string();
    assert!(error.contains("written once"), "{error}");
}

#[tokio::test]
async fn another_programs_database_is_refused_untouched() {
    let folder = Folder::empty();
    folder.run("CREATE TABLE theirs (a)").await;
    assert!(matches!(folder.error().await, DatabaseError::Foreign { .. }));
    let mut connection = folder.connection().await;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!(tables, 1);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let folder = Folder::with_database().await;
    folder.run("INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, zeroblob(48), 0)").await;
    assert!(matches!(folder.error().await, DatabaseError::Newer { found: 9999, .. }));
}

#[tokio::test]
async fn a_migration_from_another_source_is_refused() {
    let folder = Folder::with_database().await;
    folder.run("UPDATE _sqlx_migrations SET checksum = zeroblob(48) WHERE version = 1").await;
    assert!(matches!(folder.error().await, DatabaseError::Altered { version: 1, .. }));
}

#[tokio::test]
async fn damage_in_any_page_is_refused() {
    const PAGE: usize = 4096;
    let folder = Folder::with_database().await;
    let sound = std::fs::read(folder.path()).unwrap();
    assert!(sound.len() > 8 * PAGE);
    for at in (0..sound.len()).step_by(PAGE) {
        let mut bytes = sound.clone();
        bytes[at..at + PAGE].fill(0xff);
        std::fs::write(folder.path(), bytes).unwrap();
        let error = folder.error().await;
        assert!(matches!(error, DatabaseError::Corrupt { .. }), "page at {at}: {error}");
    }
    std::fs::write(folder.path(), sound).unwrap();
    folder.open().await.unwrap();
}

#[tokio::test]
async fn a_file_held_by_another_program_is_reported_as_locked() {
    let folder = Folder::with_database().await;
    let mut other = folder.connection().await;
    sqlx::query("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    assert!(matches!(folder.error().await, DatabaseError::Locked { .. }));
}

#[tokio::test]
async fn a_write_to_a_protected_file_is_reported_as_such() {
    let folder = Folder::with_database().await;
    let reader = SqliteConnectOptions::new().filename(folder.path()).read_only(true);
    let mut reader = reader.connect().await.unwrap();
    let error = sqlx::query("DELETE FROM session_actor").execute(&mut reader).await.unwrap_err();
    let error = DatabaseError::from_driver(&*folder.path(), error);
    assert!(matches!(error, DatabaseError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_dropped_change_leaves_nothing_and_the_actor_is_never_seen_by_others() {
    let folder = Folder::with_database().await;
    let database = folder.open().await.unwrap();
    let count = async || -> i64 {
        let sql = "SELECT (SELECT count(*) FROM audit_records) + (SELECT count(*) FROM session_actor)";
        sqlx::query_scalar(sql).fetch_one(database.pool()).await.unwrap()
    };
    let refused = NewAuditRecord {
        action: "refused",
        object: "account",
        object_id: "101",
        before: None,
        after: Some(serde_json::json!({"role": "customer"})),
    };
    let actor = Actor::new("p", "192.0.2.1");
    let mut change = database.begin(&actor, NOW).await.unwrap();
    audit::record(&mut change, &refused).await.unwrap();
    assert_eq!(count().await, 0);
    drop(change);

    let mut change = database.begin(&actor, NOW).await.unwrap();
    audit::record(&mut change, &refused).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(count().await, 1);
    let record = &audit::list(&database, 0, 10).await.unwrap()[0];
    assert_eq!(
        (record.actor.as_str(), record.origin.as_deref(), record.at_us),
        ("p", Some("192.0.2.1"), NOW)
    );
    assert_eq!(audit::list(&database, record.id, 10).await.unwrap(), []);
}

/// A copy takes along every table and column that there is. Whoever adds one says so in `copy.rs`; its triggers on a
/// server leave a trail alone that is coming in (`audit_head.filling`).
#[tokio::test]
async fn a_copy_knows_every_table_and_every_column() {
    /// Whose bank it is, and who acts or drives just now.
    const NOT_COPIED: [&str; 4] = ["_sqlx_migrations", "bank_identity", "session_actor", "drivers"];
    let folder = Folder::with_database().await;
    let mut connection = folder.connection().await;
    let found: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
          WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let found = found.iter().filter(|(table, _)| !NOT_COPIED.contains(&table.as_str()));
    let mut copied: Vec<(&str, &str)> = copy::TABLES
        .iter()
        .flat_map(|(table, columns)| columns.split(", ").map(move |column| (*table, column)))
        .collect();
    copied.sort_by_key(|(table, _)| *table);
    assert_eq!(found.map(|(table, column)| (table.as_str(), column.as_str())).collect::<Vec<_>>(), copied);
}

#[tokio::test]
async fn a_copy_is_the_same_row_by_row_with_all_its_guards() {
    let (one, other) = (Folder::with_database().await, Folder::empty());
    one.run(
        "INSERT INTO api_keys (id, prefix, hash, name, principal, role, created_at, created_by, revoked_at)
         VALUES (zeroblob(16), 'abcdefgh', zeroblob(32), 'Ä', 'p', 'admin', 1, 'x', 2)",
    )
    .await;
    let from = one.open().await.unwrap();
    let copy = Database::create_copy(&other.path(), BANK, NOW, &from).await.unwrap();
    assert_eq!(copy.summary().await.unwrap(), from.summary().await.unwrap());
    assert_eq!(copy.newest_record().await.unwrap(), 1);
    copy.close().await;
    let guards = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY name";
    let guards = async |folder: &Folder| -> Vec<(String, String)> {
        sqlx::query_as(guards).fetch_all(&mut folder.connection().await).await.unwrap()
    };
    assert_eq!(guards(&other).await, guards(&one).await);
    other.run("UPDATE api_keys SET name = 'renamed'").await;
    let records = audit::list(&other.open().await.unwrap(), 0, 10).await.unwrap();
    assert_eq!(records.iter().map(|record| record.id).collect::<Vec<_>>(), [1, 2]);
}

/// A bank of the time before there was a chain: opening it chains what it has.
#[tokio::test]
async fn the_records_of_an_older_bank_are_chained_when_it_is_opened() {
    let folder = Folder::with_database().await;
    let database = folder.open().await.unwrap();
    for number in 0..3 {
        let mut change = database.begin(&Actor::new("p", "192.0.2.1"), NOW + number).await.unwrap();
        let new = NewAuditRecord { action: "try", object: "door", object_id: "1", before: None, after: None };
        audit::record(&mut change, &new).await.unwrap();
        change.commit().await.unwrap();
    }
    let chained = audit::list(&database, 0, 10).await.unwrap();
    database.close().await;
    for sql in [
        "DROP TABLE audit_chain",
        "DROP TRIGGER audit_records_numbered",
        "DROP TRIGGER audit_records_signed",
        "DELETE FROM _sqlx_migrations WHERE version = 3",
    ] {
        folder.run(sql).await;
    }
    let database = folder.open().await.unwrap();
    assert_eq!(audit::list(&database, 0, 10).await.unwrap(), chained);
    let newest = audit::newest(&database).await.unwrap().unwrap();
    assert_eq!((newest.id, Some(newest.hash)), (3, chained[2].hash));
}

/// The hashes are part of the format: whoever checks them elsewhere computes these.
#[tokio::test]
async fn a_hash_covers_the_one_before_it_and_every_column() {
    use sha2::{Digest as _, Sha256};
    let folder = Folder::with_database().await;
    let database = folder.open().await.unwrap();
    let mut change = database.begin(&Actor::new("p", "here"), NOW).await.unwrap();
    let after = Some(serde_json::json!({"a": 1}));
    let new = NewAuditRecord { action: "try", object: "door", object_id: "1", before: None, after };
    audit::record(&mut change, &new).await.unwrap();
    change.commit().await.unwrap();

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
    assert_eq!(chain::Anchor::parse(&anchor.to_string()), Some(anchor));
    assert_eq!(chain::Anchor::parse("audit 1 Rent of November"), None);
}
