//! Whose turn it is: where several services share a database, one of them delivers.
//!
//! Two at once would send everything twice and out of order. The turn is a lock of the server that belongs to a
//! connection: it ends with the service, however that ends, and another takes it within seconds.

use sqlx::Any;
use sqlx::pool::PoolConnection;

use crate::database::{Database, Place};

/// The name of the lock: one for each database.
const NAME: &str = "LEFT(CONCAT('bankcore outbox ', DATABASE()), 64)";

/// The turn to deliver.
pub(super) struct Turn {
    /// None where nobody else can have it: a file belongs to one service.
    connection: Option<PoolConnection<Any>>,
}

/// Takes the turn, if nobody else has it.
pub(super) async fn take(database: &Database) -> Result<Option<Turn>, sqlx::Error> {
    if let Place::File(_) = database.place() {
        return Ok(Some(Turn { connection: None }));
    }
    let mut connection = database.within(database.pool().acquire()).await?;
    let question = sqlx::AssertSqlSafe(format!("SELECT COALESCE(GET_LOCK({NAME}, 0), 0)"));
    let taken: i64 = database.within(sqlx::query_scalar(question).fetch_one(&mut *connection)).await?;
    // It stays with this connection, which therefore never goes back to the others.
    connection.close_on_drop();
    Ok((taken == 1).then_some(Turn { connection: Some(connection) }))
}

impl Turn {
    /// Is it still ours?
    pub(super) async fn holds(&mut self, database: &Database) -> bool {
        let Some(connection) = &mut self.connection else { return true };
        let question =
            sqlx::AssertSqlSafe(format!("SELECT COALESCE(IS_USED_LOCK({NAME}) = CONNECTION_ID(), 0)"));
        let asked =
            database.within(sqlx::query_scalar::<_, i64>(question).fetch_one(&mut **connection)).await;
        asked.is_ok_and(|ours| ours == 1)
    }
}
