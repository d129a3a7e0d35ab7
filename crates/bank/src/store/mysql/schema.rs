//! The tables: made by migrations that run on MySQL and on MariaDB, and looked at before anything is trusted.

use ledger::Currency;
use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migrator};
use sqlx::mysql::MySqlConnection;

use super::anew;
use super::failure::{self, OpenError};
use super::session::{self, Server, Settings, sql};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/mysql");

/// Where the driver notes what was run.
pub(super) const LOG: &str = "_sqlx_migrations";

/// One step of the tables' life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: i64,
    /// What it makes.
    pub description: String,
    /// Has it been run?
    pub applied: bool,
}

/// Makes or brings up to date the tables in the database behind a URL; answers what is there now.
///
/// # Errors
/// [`OpenError`]. A migration that breaks off halfway leaves the tables that it had made: the server commits
/// each statement on its own. Where there is a bank it is named, and refused until somebody has looked; where there
/// is none, all tables are made anew.
pub async fn migrate(settings: &Settings) -> Result<Vec<Migration>, OpenError> {
    make(connect(settings).await?, true).await
}

/// The same, signed in as somebody else.
pub(super) async fn migrate_as(settings: &Settings, name: &str, password: &str) -> Result<(), OpenError> {
    let options = settings.options()?.username(name).password(password);
    let connected = session::connect(&options, settings.patience).await;
    make(connected.map_err(|error| OpenError::from_driver(&error))?, true).await.map(drop)
}

async fn make(mut connection: MySqlConnection, also_if_older: bool) -> Result<Vec<Migration>, OpenError> {
    let asked = Server::ask(&mut connection).await;
    let (server, _) = asked.map_err(|error| OpenError::from_driver(&error))?;
    if !server.is_known() {
        return Err(OpenError::Version(server.version));
    }
    take_turn(&mut connection).await?;
    let half = is_half_made(&mut connection).await?;
    let standing = if half { 0 } else { version(&mut connection).await? };
    if !also_if_older && standing >= newest() {
        return list(&mut connection).await;
    }
    if half || (!also_if_older && standing > 0) {
        let without = anew::is_without_bank(&mut connection).await;
        let without = without.map_err(|error| OpenError::from_driver(&error))?;
        if half && without {
            let cleared = anew::clear(&mut connection, &MIGRATIONS, LOG).await;
            cleared.map_err(|error| OpenError::from_driver(&error))?;
        } else if !also_if_older && !without {
            return list(&mut connection).await;
        }
    }
    MIGRATIONS.run(&mut connection).await.map_err(|error| fault(&error))?;
    currencies(&mut connection).await.map_err(|error| OpenError::from_driver(&error))?;
    list(&mut connection).await
}

/// Makes the tables if there are none, or finishes them where somebody was killed while making them: whoever starts a
/// new bank need not know of migrations. The tables of a bank are left as they are.
///
/// # Errors
/// [`OpenError`].
pub async fn prepare(settings: &Settings) -> Result<(), OpenError> {
    make(connect(settings).await?, false).await.map(|_| ())
}

/// Are there no tables, or half made ones?
pub(super) async fn is_to_be_made(settings: &Settings) -> Result<bool, OpenError> {
    let mut connection = connect(settings).await?;
    Ok(is_half_made(&mut connection).await? || version(&mut connection).await? == 0)
}

/// What is there.
///
/// # Errors
/// [`OpenError`].
pub async fn status(settings: &Settings) -> Result<Vec<Migration>, OpenError> {
    list(&mut connect(settings).await?).await
}

/// One after the other: who makes tables must not meet who finds them half made.
async fn take_turn(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    let turn = "SELECT GET_LOCK(LEFT(CONCAT('bankcore tables ', DATABASE()), 64), 60)";
    let turn: Option<i64> = sqlx::query_scalar(turn)
        .fetch_one(connection)
        .await
        .map_err(|error| OpenError::from_driver(&error))?;
    match turn {
        Some(1) => Ok(()),
        _ => Err(OpenError::Migration("another program has been making them for a minute".into())),
    }
}

/// Did a migration break off?
async fn is_half_made(connection: &mut MySqlConnection) -> Result<bool, OpenError> {
    if !is_there(connection).await? {
        return Ok(false);
    }
    let half = connection.dirty_version(LOG).await.map_err(|error| fault(&error))?;
    Ok(half.is_some())
}

/// The newest migration that was run; 0 for none.
async fn version(connection: &mut MySqlConnection) -> Result<i64, OpenError> {
    Ok(applied(connection).await?.iter().map(|applied| applied.version).max().unwrap_or(0))
}

/// Refuses tables that are not this program's.
pub(super) async fn check(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    let (wanted, found) = (newest(), version(connection).await?);
    match found.cmp(&wanted) {
        std::cmp::Ordering::Less => Err(OpenError::Older { found, wanted }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(OpenError::Newer { found, wanted }),
    }
}

fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

async fn connect(settings: &Settings) -> Result<MySqlConnection, OpenError> {
    let options = settings.options()?;
    session::connect(&options, settings.patience).await.map_err(|error| OpenError::from_driver(&error))
}

async fn list(connection: &mut MySqlConnection) -> Result<Vec<Migration>, OpenError> {
    let applied = applied(connection).await?;
    let known = MIGRATIONS.iter().map(|migration| Migration {
        version: migration.version,
        description: migration.description.to_string(),
        applied: applied.iter().any(|applied| applied.version == migration.version),
    });
    Ok(known.collect())
}

/// What was run here.
async fn applied(connection: &mut MySqlConnection) -> Result<Vec<AppliedMigration>, OpenError> {
    if !is_there(connection).await? {
        return Ok(Vec::new());
    }
    if let Some(half) = connection.dirty_version(LOG).await.map_err(|error| fault(&error))? {
        return Err(OpenError::Migration(format!("migration {half} broke off halfway")));
    }
    connection.list_applied_migrations(LOG).await.map_err(|error| fault(&error))
}

/// Was anything ever run here?
async fn is_there(connection: &mut MySqlConnection) -> Result<bool, OpenError> {
    let there =
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?";
    let there: i64 = sqlx::query_scalar(there)
        .bind(LOG)
        .fetch_one(connection)
        .await
        .map_err(|error| OpenError::from_driver(&error))?;
    Ok(there > 0)
}

fn fault(error: &MigrateError) -> OpenError {
    match error {
        MigrateError::VersionMissing(found) => OpenError::Newer { found: *found, wanted: newest() },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match OpenError::from_driver(error) {
                cause @ OpenError::Privilege { .. } => cause,
                cause @ OpenError::Unreachable(_) if failure::number(error).is_none() => cause,
                _ => OpenError::Migration(error.to_string()),
            }
        }
        other => OpenError::Migration(other.to_string()),
    }
}

/// The currencies that this program knows; a newer program knows more.
async fn currencies(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sql(currency_rows(Currency::all())).execute(connection).await?;
    Ok(())
}

/// The statement that says so.
pub(super) fn currency_rows(known: impl Iterator<Item = Currency>) -> String {
    let row = |currency: Currency| {
        format!("({},'{}',{})", currency.numeric(), currency.code(), currency.exponent())
    };
    format!(
        "INSERT INTO currencies (numeric_code,code,exponent) VALUES {} \
         ON DUPLICATE KEY UPDATE code=VALUES(code),exponent=VALUES(exponent)",
        known.map(row).collect::<Vec<_>>().join(",")
    )
}
