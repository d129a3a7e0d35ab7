//! One db tx in the name of one actor.
//!
//! The actor stands where the audit triggers read it (in SQLite the table `session_actor`) while the db tx is open,
//! and nowhere afterwards. A change that is dropped is rolled back.

use sqlx::{Any, AnyConnection, Transaction};

use super::{Database, DatabaseError, chain, sqlite};

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
    tx: Transaction<'static, Any>,
    database: Database,
    actor: Actor,
    now_us: i64,
}

impl Change {
    pub(super) async fn begin(
        database: &Database,
        actor: &Actor,
        now_us: i64,
    ) -> Result<Change, DatabaseError> {
        let tx = sqlite::begin(database.pool(), actor, now_us).await.map_err(|e| database.fault(e))?;
        Ok(Change { tx, database: database.clone(), actor: actor.clone(), now_us })
    }

    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// When, in microseconds since 1970.
    #[must_use]
    pub fn now_us(&self) -> i64 {
        self.now_us
    }

    /// Chains what the change recorded, and makes it durable.
    pub async fn commit(mut self) -> Result<(), DatabaseError> {
        let fault = |e| self.database.fault(e);
        chain::extend(&mut self.tx).await.map_err(fault)?;
        sqlite::sign_off(&mut self.tx).await.map_err(fault)?;
        self.tx.commit().await.map_err(fault)
    }
}
