//! The bank database: people and process, as relational rows; `bank.db` (SQLite) in the data folder, or tables beside
//! the books when those are in MySQL or MariaDB.
//!
//! No money lives here and no request waits for it: what the request path needs is held in memory (see
//! [`crate::identity::Directory`]) and this is read at start and written by commands.
//!
//! - **Whose it is.** A database is bound to one bank when it is made: the file is prepared under another
//!   name and gets its own only when it is complete, so a file called `bank.db` is never half made. A
//!   database of another bank, or of a newer bankcore, is refused before anything in it is changed.
//! - **Who acts.** Every change goes through [`Change`], which names the actor; triggers write the audit
//!   record in the same db tx. What bypasses the service is recorded too, as made from `outside`.
//! - **Durable.** A commit that returned is on disk: WAL with `synchronous = FULL`, a file readable by its owner
//!   only; on a server the settings that the books demand.
//! - **Shared.** Several services may work on one database on a server: changes come one after the other, the audit
//!   trail is one, and [`Database::newest_record`] tells cheaply that somebody has changed something.
//!
//! Queries are written once, in the SQL that all dialects have: `?` for values, no RETURNING, no upserts; ids as 16
//! bytes, times and counts as `i64` (sums cast to it), JSON as text. What differs is in one file a dialect.
//!
//! ```text
//! change.rs one db tx with a named actor
//! audit.rs  the append-only record: write and read
//! chain.rs  its hashes: what they prove, and what they cannot
//! copy.rs   everything from one database into a new one, of either dialect
//! sqlite.rs make, open, check, migrate; begin and end a db tx
//! mysql.rs  the same beside the books in a database
//! error.rs  what can be wrong, and what to do about it
//! ```

pub mod audit;
pub mod chain;
pub mod change;
mod copy;
pub mod error;
mod mysql;
mod sqlite;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use sqlx::AnyPool;

use crate::store::mysql::Settings;

pub use audit::{AuditRecord, NewAuditRecord};
pub use change::{Actor, Change};
pub use error::{DatabaseError, Place};

/// The name of the file in the data folder.
pub const FILE_NAME: &str = "bank.db";

/// The open bank database. Clones share one pool of connections.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    place: Place,
}

impl Database {
    /// Makes a new database for `bank` at `path`. The file appears under its name only when it is complete;
    /// one that exists is never touched.
    pub async fn create(path: &Path, bank: [u8; 16], now_us: i64) -> Result<Database, DatabaseError> {
        sqlite::create(path, bank, now_us, None).await?;
        Database::open(path, bank).await
    }

    /// Makes a new database for `bank` at `path` with everything that `from` holds, as [`Database::create`] does.
    pub async fn create_copy(
        path: &Path,
        bank: [u8; 16],
        now_us: i64,
        from: &Database,
    ) -> Result<Database, DatabaseError> {
        sqlite::create(path, bank, now_us, Some(from)).await?;
        Database::open(path, bank).await
    }

    /// Opens the database of `bank` at `path`, checks it and brings its schema up to date.
    pub async fn open(path: &Path, bank: [u8; 16]) -> Result<Database, DatabaseError> {
        let pool = sqlite::open(path, bank).await?;
        Ok(Database { pool, place: Place::from(path) })
    }

    /// Opens the tables beside the books of `bank`, whose schema was checked with theirs.
    pub async fn beside(books: &Settings, bank: [u8; 16]) -> Result<Database, DatabaseError> {
        let place = Place::Server(books.name().into());
        let pool = mysql::open(books, &place, bank).await?;
        let database = Database { pool, place };
        database.within(mysql::chain_records(&database.pool)).await.map_err(|e| database.fault(e))?;
        Ok(database)
    }

    /// Takes over everything that `from` holds into tables on a server in which there is nothing yet, in one db tx.
    ///
    /// # Errors
    /// [`DatabaseError::TwoTrails`] if there is something; then nothing was changed.
    pub async fn take_over(&self, from: &Database) -> Result<(), DatabaseError> {
        copy::into_server(from, self).await
    }

    /// Of each table that a copy takes along: its name, its rows, and the SHA-256 over all that they say.
    pub async fn summary(&self) -> Result<Vec<(&'static str, u64, [u8; 32])>, DatabaseError> {
        copy::summary(self).await.map_err(|e| self.fault(e))
    }

    /// Starts a change in the name of `actor`. Waits for the changes before it.
    pub async fn begin(&self, actor: &Actor, now_us: i64) -> Result<Change, DatabaseError> {
        Change::begin(self, actor, now_us).await
    }

    /// The number of the newest audit record; 0 if there is none. Whatever is changed, by whomever, raises it.
    pub async fn newest_record(&self) -> Result<i64, DatabaseError> {
        let newest =
            sqlx::query_scalar("SELECT coalesce(max(id), 0) FROM audit_records").fetch_one(&self.pool);
        self.within(newest).await.map_err(|e| self.fault(e))
    }

    /// The connections, for reading. A change made through them is recorded as made from `outside`.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Turns an error of the driver into one that names this database.
    pub fn fault(&self, error: sqlx::Error) -> DatabaseError {
        DatabaseError::from_driver(self.place.clone(), error)
    }

    /// Bounds how long a server is waited for: one that says nothing is one that is not there.
    pub async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let patience = match self.place {
            // A file answers, or is locked for as long as SQLite itself waits.
            Place::File(_) => Duration::from_secs(60),
            Place::Server(_) => mysql::PATIENCE,
        };
        tokio::time::timeout(patience, work).await.unwrap_or_else(|_| {
            let text = format!("no answer within {} s", patience.as_secs());
            Err(sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, text)))
        })
    }

    /// Closes all connections; a file's WAL is folded into it.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
