//! The bank database: people and process, as relational rows in `bank.db` (SQLite) in the data folder.
//!
//! No money lives here and no request waits for it: what the request path needs is held in memory (see
//! [`crate::identity::Directory`]) and this file is read at start and written by commands.
//!
//! - **Whose it is.** A database is bound to one bank when it is made: the file is prepared under another
//!   name and gets its own only when it is complete, so a file called `bank.db` is never half made. A
//!   database of another bank, or of a newer bankcore, is refused before anything in it is changed.
//! - **Who acts.** Every change goes through [`Change`], which names the actor; triggers write the audit
//!   record in the same db tx. What bypasses the service is recorded too, as made from `outside`.
//! - **Durable.** WAL with `synchronous = FULL`: a commit that returned is on disk. The file is readable by
//!   its owner only.
//!
//! Queries are written once, in the SQL that all dialects have: `?` for values, no RETURNING, no upserts; ids as 16
//! bytes, times and counts as `i64`, JSON as text. What differs is in one file a dialect.
//!
//! ```text
//! change.rs one db tx with a named actor
//! audit.rs  the append-only record: write and read
//! chain.rs  its hashes: what they prove, and what they cannot
//! sqlite.rs make, open, check, migrate; begin and end a db tx
//! error.rs  what can be wrong, and what to do about it
//! ```

pub mod audit;
pub mod chain;
pub mod change;
pub mod error;
mod sqlite;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use sqlx::AnyPool;

pub use audit::{AuditRecord, NewAuditRecord};
pub use change::{Actor, Change};
pub use error::DatabaseError;

/// The name of the file in the data folder.
pub const FILE_NAME: &str = "bank.db";

/// The open bank database. Clones share one pool of connections.
#[derive(Clone)]
pub struct Database {
    pool: AnyPool,
    path: PathBuf,
}

impl Database {
    /// Makes a new database for `bank` at `path`. The file appears under its name only when it is complete;
    /// one that exists is never touched.
    pub async fn create(path: &Path, bank: [u8; 16], now_us: i64) -> Result<Database, DatabaseError> {
        sqlite::create(path, bank, now_us).await?;
        Database::open(path, bank).await
    }

    /// Opens the database of `bank` at `path`, checks it and brings its schema up to date.
    pub async fn open(path: &Path, bank: [u8; 16]) -> Result<Database, DatabaseError> {
        let pool = sqlite::open(path, bank).await?;
        Ok(Database { pool, path: path.to_owned() })
    }

    /// Starts a change in the name of `actor`. Waits for the changes before it.
    pub async fn begin(&self, actor: &Actor, now_us: i64) -> Result<Change, DatabaseError> {
        Change::begin(self, actor, now_us).await
    }

    /// The connections, for reading. A change made through them is recorded as made from `outside`.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Turns an error of the driver into one that names this file.
    pub fn fault(&self, error: sqlx::Error) -> DatabaseError {
        DatabaseError::from_driver(&self.path, error)
    }

    /// Closes all connections; the WAL is folded into the file.
    pub async fn close(self) {
        self.pool.close().await;
    }
}
