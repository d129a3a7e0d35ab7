//! One db tx in the name of one actor.
//!
//! The actor stands where the audit triggers read it while the db tx is open (in SQLite the table `session_actor`, in
//! MySQL variables of the session), and nowhere afterwards. A change that is dropped is rolled back. Changes come one
//! after the other, those of other services on the same database too.

use sqlx::{Any, AnyConnection, Transaction};

use super::{Database, DatabaseError, Place, chain, mysql, sqlite};

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
        let pool = database.pool();
        let tx = match database.place() {
            Place::File(_) => sqlite::begin(pool, actor, now_us).await,
            Place::Server(_) => database.within(mysql::begin(pool, actor, now_us)).await,
        };
        let tx = tx.map_err(|e| database.fault(e))?;
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
    ///
    /// # Errors
    /// [`DatabaseError`]: nothing of it was kept, except that after [`DatabaseError::Unreachable`] it is not known.
    pub async fn commit(mut self) -> Result<(), DatabaseError> {
        let database = self.database;
        let ended = async {
            chain::extend(&mut self.tx).await?;
            if let Place::File(_) = database.place() {
                sqlite::sign_off(&mut self.tx).await?;
            }
            self.tx.commit().await
        };
        database.within(ended).await.map_err(|e| database.fault(e))
    }
}
