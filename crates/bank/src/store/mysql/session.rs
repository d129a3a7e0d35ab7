//! A connection as the books need it, and what is asked of a server before anything is trusted to it.

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::failure::OpenError;

/// Where the books are and how they are reached.
#[derive(Clone)]
pub struct Settings {
    /// `mysql://user:password@host:port/database`.
    pub url: String,
    /// Take a server that does not sync every commit.
    pub accept_weak_durability: bool,
    /// Connections for reading.
    pub readers: u32,
    /// Events between two snapshots; the next start folds up to twice as many.
    pub snapshot_every: u64,
    /// How long one step of a batch may take, and a connection to come about.
    pub patience: Duration,
}

impl Settings {
    /// Every batch is answered within so many times the patience, whatever the server does: one while it is begun
    /// again, one each for the last try's beginning, its writes and its COMMIT, and two for looking what became of
    /// it.
    pub const ANSWERED_WITHIN: u32 = 6;

    /// The usual settings for a URL.
    #[must_use]
    pub fn new(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            accept_weak_durability: false,
            readers: 4,
            snapshot_every: 2_000_000,
            patience: Duration::from_secs(10),
        }
    }

    /// What the database is called among people: `host:port/name`, without user and password.
    #[must_use]
    pub fn name(&self) -> String {
        match self.options() {
            Ok(options) => format!(
                "{}:{}/{}",
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
            Err(error) => error.to_string(),
        }
    }

    pub(super) fn options(&self) -> Result<MySqlConnectOptions, OpenError> {
        if !["mysql://", "mariadb://"].iter().any(|scheme| self.url.starts_with(scheme)) {
            return Err(OpenError::Url("it begins with something else".into()));
        }
        let options: MySqlConnectOptions =
            self.url.parse().map_err(|error: sqlx::Error| OpenError::Url(error.to_string()))?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(OpenError::Url("it names no database".into()));
        }
        Ok(options.charset("utf8mb4").disable_statement_logging())
    }

    /// The name of the database.
    pub(super) fn database(&self) -> Result<String, OpenError> {
        Ok(self.options()?.get_database().unwrap_or_default().to_owned())
    }
}

/// Not the password.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("readers", &self.readers).finish_non_exhaustive()
    }
}

/// Each statement sees what is committed when it begins; what does not fit is an error, never cut.
const ISOLATION: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Kept by procedures and triggers from whoever makes them.
pub(super) const SQL_MODE: &str = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION";

/// Opens a connection within the time that there is.
pub(super) async fn connect(
    options: &MySqlConnectOptions,
    patience: Duration,
) -> Result<MySqlConnection, sqlx::Error> {
    within(patience, async {
        let mut connection = MySqlConnection::connect_with(options).await?;
        prepare(&mut connection).await?;
        // A lock that does not come is given up well before anyone's patience ends.
        let seconds = (patience.as_secs() / 2).max(1);
        sql(format!("SET SESSION innodb_lock_wait_timeout = {seconds}")).execute(&mut connection).await?;
        Ok(connection)
    })
    .await
}

pub(super) async fn prepare(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(ISOLATION).execute(&mut *connection).await?;
    let session =
        format!("SET SESSION sql_mode = '{SQL_MODE}', SESSION time_zone = '+00:00', SESSION autocommit = 1");
    sql(session).execute(connection).await?;
    Ok(())
}

/// A server that says nothing is one that is not there.
pub(super) async fn within<T>(
    patience: Duration,
    question: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(patience, question).await.unwrap_or_else(|_| Err(silence(patience)))
}

/// The error of a server that said nothing.
pub(super) fn silence(patience: Duration) -> sqlx::Error {
    let text = format!("no answer within {} s", patience.as_secs());
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text))
}

/// SQL that this program wrote: numbers, words of its own and literals in hexadecimal.
pub(super) fn sql(text: String) -> sqlx::RawSql {
    sqlx::raw_sql(AssertSqlSafe(text))
}

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// As it calls itself.
    pub version: String,
    /// Is every commit synced before it is answered?
    pub durable: bool,
}

impl Server {
    /// Asks a server what it is, and whether it could lose what it acknowledged.
    pub(super) async fn ask(
        connection: &mut MySqlConnection,
    ) -> Result<(Server, Option<OpenError>), sqlx::Error> {
        let row = sqlx::raw_sql(
            "SELECT VERSION(), CAST(@@innodb_flush_log_at_trx_commit AS CHAR), CAST(@@sync_binlog AS CHAR), \
             CAST(@@log_bin AS CHAR)",
        )
        .fetch_one(connection)
        .await?;
        let version: String = row.try_get(0)?;
        let (flush, sync, binlog): (String, String, String) =
            (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        let weak = if flush != "1" {
            Some(OpenError::Weak { setting: "innodb_flush_log_at_trx_commit", value: flush })
        } else if binlog == "1" && sync != "1" {
            Some(OpenError::Weak { setting: "sync_binlog", value: sync })
        } else {
            None
        };
        Ok((Server { version, durable: weak.is_none() }, weak))
    }

    /// Can it hold the books?
    pub(super) fn is_known(&self) -> bool {
        let mut numbers =
            self.version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0u32);
        let found = (next(), next(), next());
        found >= if self.version.to_ascii_lowercase().contains("mariadb") { (10, 11, 0) } else { (8, 0, 16) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_told_apart() {
        let known = |version: &str| Server { version: version.into(), durable: true }.is_known();
        for version in ["8.0.16", "8.4.3", "9.1.0-1", "10.11.14-MariaDB-0+deb12u2-log", "11.4.2-MariaDB"] {
            assert!(known(version), "{version}");
        }
        for version in ["5.7.44", "8.0.15", "10.6.18-MariaDB", "", "surprise"] {
            assert!(!known(version), "{version}");
        }
    }
}
