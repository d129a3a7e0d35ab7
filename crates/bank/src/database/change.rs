//! One db tx in the name of one actor.
//!
//! The actor stands in the table `session_actor` while the db tx is open: the audit triggers read it there.
//! [`Change::commit`] empties the row first, so a committed row would mean that somebody went around this
//! module. A change that is dropped is rolled back.

use sqlx::Transaction;
use sqlx::sqlite::{Sqlite, SqliteConnection};

use super::{Database, DatabaseError, chain};

/// Who acts, and from where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// The principal, or the name of the subsystem.
    pub name: Box<str>,
    /// Address, device or "command line".
    pub origin: Box<str>,
}

impl Actor {
    /// `name` acting from `origin`.
    #[must_use]
    pub fn new(name: &str, origin: &str) -> Actor {
        Actor { name: name.into(), origin: origin.into() }
    }
}

/// An open change. Nothing of it is seen or kept before [`Change::commit`] returns.
pub struct Change {
    tx: Transaction<'static, Sqlite>,
    database: Database,
}

impl Change {
    pub(super) async fn begin(
        database: &Database,
        actor: &Actor,
        now_us: i64,
    ) -> Result<Change, DatabaseError> {
        let fault = |e| database.fault(e);
        // IMMEDIATE takes the write lock at once; a tx that starts by reading may lose its snapshot and fail.
        let mut tx = database.pool().begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        sqlx::query("INSERT OR REPLACE INTO session_actor (one, actor, origin, at) VALUES (1, ?, ?, ?)")
            .bind(&*actor.name)
            .bind(&*actor.origin)
            .bind(now_us)
            .execute(&mut *tx)
            .await
            .map_err(fault)?;
        Ok(Change { tx, database: database.clone() })
    }

    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Chains what the change recorded, and makes it durable.
    pub async fn commit(mut self) -> Result<(), DatabaseError> {
        let fault = |e| self.database.fault(e);
        chain::extend(&mut self.tx).await.map_err(fault)?;
        sqlx::query("DELETE FROM session_actor").execute(&mut *self.tx).await.map_err(fault)?;
        self.tx.commit().await.map_err(fault)
    }
}
