//! Making and opening the file: every check comes before the first change.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::chain;
use super::error::DatabaseError;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// "bck1" in the header of the file, so that another program's SQLite file is told apart at once.
const APPLICATION_ID: i64 = 0x62_63_6b_31;
/// How long a connection waits for another writer before it reports the file as locked.
const BUSY: Duration = Duration::from_secs(5);
/// One writer at a time is SQLite's rule; the others read.
const CONNECTIONS: u32 = 4;
/// Readable and writable by the owner only: the file names people and their accounts.
const MODE: u32 = 0o600;

pub(super) async fn create(path: &Path, bank: [u8; 16], now_us: i64) -> Result<(), DatabaseError> {
    if path.symlink_metadata().is_ok() {
        return Err(DatabaseError::Exists { path: path.to_owned() });
    }
    let draft = beside(path, "new");
    for leftover in [draft.clone(), beside(&draft, "wal"), beside(&draft, "shm")] {
        match std::fs::remove_file(&leftover) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(DatabaseError::from_io(&leftover, &e));
            }
            _ => {}
        }
    }
    let io = |e: std::io::Error| match DatabaseError::from_io(path, &e) {
        // Here it is the folder that is not there.
        DatabaseError::Missing { path } => {
            DatabaseError::Failed { path, detail: "the data folder does not exist".into() }
        }
        other => other,
    };
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft).map_err(io)?;
    prepare(&draft, bank, now_us).await?;
    File::open(&draft).and_then(|f| f.sync_all()).map_err(io)?;
    std::fs::rename(&draft, path).map_err(io)?;
    sync_folder(path).map_err(io)
}

async fn prepare(draft: &Path, bank: [u8; 16], now_us: i64) -> Result<(), DatabaseError> {
    let fault = |e| DatabaseError::from_driver(draft, e);
    let mut connection = options(draft).connect().await.map_err(fault)?;
    sqlx::query("PRAGMA application_id = 0x62636b31").execute(&mut connection).await.map_err(fault)?;
    MIGRATIONS.run(&mut connection).await.map_err(|e| migration_fault(draft, e))?;
    sqlx::query("INSERT INTO bank_identity (one, bank, created_at) VALUES (1, ?, ?)")
        .bind(&bank[..])
        .bind(now_us)
        .execute(&mut connection)
        .await
        .map_err(fault)?;
    // The last connection to close folds the WAL into the file, which then stands alone.
    connection.close().await.map_err(fault)
}

pub(super) async fn open(path: &Path, bank: [u8; 16]) -> Result<SqlitePool, DatabaseError> {
    let io = |e: std::io::Error| DatabaseError::from_io(path, &e);
    // By path, never through a descriptor of our own: closing one would drop the POSIX locks that another
    // connection of this process has on the file.
    let permissions = std::fs::metadata(path).map_err(io)?.permissions();
    if permissions.mode() & 0o777 != MODE {
        std::fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(io)?;
    }

    let fault = |e| DatabaseError::from_driver(path, e);
    let mut connection = options(path).connect().await.map_err(fault)?;
    check_identity(&mut connection, path, bank).await?;
    check_pages(&mut connection, path).await?;
    MIGRATIONS.run(&mut connection).await.map_err(|e| migration_fault(path, e))?;
    chain_records(&mut connection).await.map_err(fault)?;
    // Also the proof that the file can be written: SQLite opens a write-protected one for reading only.
    sqlx::query("DELETE FROM session_actor").execute(&mut connection).await.map_err(fault)?;
    connection.close().await.map_err(fault)?;
    SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options(path)).await.map_err(fault)
}

/// Chains what was recorded before there was a chain, and what other programs caused since the service ran.
async fn chain_records(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    chain::extend(&mut tx).await?;
    tx.commit().await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

async fn check_identity(
    connection: &mut SqliteConnection,
    path: &Path,
    bank: [u8; 16],
) -> Result<(), DatabaseError> {
    let fault = |e| DatabaseError::from_driver(path, e);
    let application: i64 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(fault)?;
    if application != APPLICATION_ID {
        return Err(DatabaseError::Foreign { path: path.to_owned() });
    }
    let found: Vec<u8> = sqlx::query_scalar("SELECT bank FROM bank_identity")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    if found != bank {
        let (found, expected) = (hex(&found), hex(&bank));
        return Err(DatabaseError::OtherBank { path: path.to_owned(), found, expected });
    }
    let schema: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    if schema > known {
        return Err(DatabaseError::Newer { path: path.to_owned(), found: schema, known });
    }
    Ok(())
}

async fn check_pages(connection: &mut SqliteConnection, path: &Path) -> Result<(), DatabaseError> {
    let verdict: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .map_err(|e| DatabaseError::from_driver(path, e))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => {
            let detail = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
            Err(DatabaseError::Corrupt { path: path.to_owned(), detail })
        }
    }
}

fn migration_fault(path: &Path, error: MigrateError) -> DatabaseError {
    let altered = |version| DatabaseError::Altered { path: path.to_owned(), version };
    match error {
        MigrateError::VersionMismatch(version)
        | MigrateError::VersionMissing(version)
        | MigrateError::Dirty(version) => altered(version),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => {
            DatabaseError::from_driver(path, e)
        }
        other => DatabaseError::Failed { path: path.to_owned(), detail: other.to_string() },
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(suffix);
    name.into()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
