//! The dialect of SQLite: a file in the data folder, made and opened with every check before the first change.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, SqliteConnection, Transaction};

use super::change::Actor;
use super::error::DatabaseError;
use super::{Database, chain, copy, hex};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

/// "bck1" in the header of the file, so that another program's SQLite file is told apart at once.
const APPLICATION_ID: i64 = 0x62_63_6b_31;
/// How long a connection waits for another writer before it reports the file as locked.
const BUSY: Duration = Duration::from_secs(5);
/// One writer at a time is SQLite's rule; the others read.
const CONNECTIONS: u32 = 4;
/// Readable and writable by the owner only: the file names people and their accounts.
const MODE: u32 = 0o600;

pub(super) async fn create(
    path: &Path,
    bank: [u8; 16],
    now_us: i64,
    from: Option<&Database>,
) -> Result<(), DatabaseError> {
    if path.symlink_metadata().is_ok() {
        return Err(DatabaseError::Exists { place: path.into() });
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
        DatabaseError::Missing { place } => {
            DatabaseError::Failed { place, detail: "the data folder does not exist".into() }
        }
        other => other,
    };
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft).map_err(io)?;
    prepare(&draft, bank, now_us).await?;
    if let Some(from) = from {
        let pool = pool(&draft).await?;
        copy::into_draft(from, &pool).await.map_err(|e| DatabaseError::from_driver(&*draft, e))?;
        pool.close().await;
    }
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

pub(super) async fn open(path: &Path, bank: [u8; 16]) -> Result<AnyPool, DatabaseError> {
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
    // Also the proof that the file can be written: SQLite opens a write-protected one for reading only.
    sqlx::query("DELETE FROM session_actor").execute(&mut connection).await.map_err(fault)?;
    connection.close().await.map_err(fault)?;
    let pool = pool(path).await?;
    chain_records(&pool).await.map_err(fault)?;
    Ok(pool)
}

/// The connections for everybody. They are made from a URL, in which every byte that could mean something is encoded.
async fn pool(path: &Path) -> Result<AnyPool, DatabaseError> {
    sqlx::any::install_default_drivers();
    let whole = std::fs::canonicalize(path).map_err(|e| DatabaseError::from_io(path, &e))?;
    let mut url = String::from("sqlite://");
    for byte in whole.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => url.push(char::from(*byte)),
            _ => _ = write!(url, "%{byte:02X}"),
        }
    }
    url.push_str("?mode=rw");
    let fault = |e| DatabaseError::from_driver(path, e);
    let options: AnyConnectOptions = url.parse().map_err(fault)?;
    AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        // The log mode stands in the file; waiting for others and foreign keys are the driver's defaults.
        .after_connect(|connection, _| {
            Box::pin(
                async move { sqlx::query("PRAGMA synchronous = FULL").execute(connection).await.map(|_| ()) },
            )
        })
        .connect_with(options.disable_statement_logging())
        .await
        .map_err(fault)
}

/// Chains what was recorded before there was a chain, and what other programs caused since the service ran.
async fn chain_records(pool: &AnyPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    chain::extend(&mut tx).await?;
    tx.commit().await
}

/// Opens a db tx in the name of `actor`. IMMEDIATE takes the write lock at once; a db tx that starts by reading may
/// lose its snapshot and fail.
pub(super) async fn begin(
    pool: &AnyPool,
    actor: &Actor,
    now_us: i64,
) -> Result<Transaction<'static, Any>, sqlx::Error> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT OR REPLACE INTO session_actor (one, actor, origin, at) VALUES (1, ?, ?, ?)")
        .bind(&*actor.name)
        .bind(&*actor.origin)
        .bind(now_us)
        .execute(&mut *tx)
        .await?;
    Ok(tx)
}

/// Nobody acts any more: what is committed names no one.
pub(super) async fn sign_off(tx: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session_actor").execute(tx).await.map(|_| ())
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
        return Err(DatabaseError::Foreign { place: path.into() });
    }
    let found: Vec<u8> = sqlx::query_scalar("SELECT bank FROM bank_identity")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    if found != bank {
        let (found, expected) = (hex(&found), hex(&bank));
        return Err(DatabaseError::OtherBank { place: path.into(), found, expected });
    }
    let schema: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(fault)?;
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    if schema > known {
        return Err(DatabaseError::Newer { place: path.into(), found: schema, known });
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
            Err(DatabaseError::Corrupt { place: path.into(), detail })
        }
    }
}

fn migration_fault(path: &Path, error: MigrateError) -> DatabaseError {
    let altered = |version| DatabaseError::Altered { place: path.into(), version };
    match error {
        MigrateError::VersionMismatch(version)
        | MigrateError::VersionMissing(version)
        | MigrateError::Dirty(version) => altered(version),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => {
            DatabaseError::from_driver(path, e)
        }
        other => DatabaseError::Failed { place: path.into(), detail: other.to_string() },
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
