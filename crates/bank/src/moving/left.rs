//! What a database keeps for itself. Another database gets its tellers; the rest is about the tables that are left, and is
//! said, so that nobody misses it later.

use crate::database::{Database, DatabaseError, Place};

/// Rows that did not come along.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Left {
    /// The table in the source.
    pub what: &'static str,
    /// How many rows of it.
    pub rows: u64,
    /// Why they stay.
    pub why: &'static str,
}

const TELLERS: &str =
    "which drawer a banker's cash goes through, for the stored procedures; a folder has none";
const BREAKS: &str =
    "differences between cached balances and entries of the source; balances are made anew from the entries";
const LOG: &str =
    "changes of the source's own tables, with its users and connections; keep the source for them";

/// Takes tellers along where there is a place for them, and tells what stays.
pub(super) async fn behind(from: &Database, to: &Database) -> Result<Vec<Left>, DatabaseError> {
    if let Place::File(_) = from.place() {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for (what, why) in [("tellers", TELLERS), ("balance_breaks", BREAKS), ("audit_log", LOG)] {
        if what == "tellers" && matches!(to.place(), Place::Server(_)) {
            tellers(from, to).await?;
            continue;
        }
        let rows: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {what}")))
            .fetch_one(from.pool())
            .await
            .map_err(|error| from.fault(error))?;
        if rows > 0 {
            left.push(Left { what, rows: rows.unsigned_abs(), why });
        }
    }
    Ok(left)
}

/// Copies those that are not there yet.
async fn tellers(from: &Database, to: &Database) -> Result<(), DatabaseError> {
    let all: Vec<(Vec<u8>, i64)> =
        sqlx::query_as("SELECT banker, CAST(drawer_account_id AS SIGNED) FROM tellers ORDER BY banker")
            .fetch_all(from.pool())
            .await
            .map_err(|error| from.fault(error))?;
    for (banker, drawer) in all {
        sqlx::query(
            "INSERT INTO tellers (banker, drawer_account_id) SELECT ?, ? FROM bank_identity
              WHERE NOT EXISTS (SELECT 1 FROM tellers WHERE banker = ?)",
        )
        .bind(banker.clone())
        .bind(drawer)
        .bind(banker)
        .execute(to.pool())
        .await
        .map_err(|error| to.fault(error))?;
    }
    Ok(())
}
