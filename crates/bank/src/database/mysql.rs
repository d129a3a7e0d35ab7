//! The dialect of MySQL and MariaDB: the database in which the books are, shared by all services on them.
//!
//! Every change holds the row of `audit_head` from its beginning, so changes of several services come one after the
//! other and their records are numbered and chained in that order. Who acts stands in session variables, which no
//! connection keeps when it is given to the next.

use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Transaction};

use super::chain;
use super::change::Actor;
use super::error::{DatabaseError, Place};
use crate::store::mysql::Settings;

/// How long a connection waits for another change before it gives up.
const BUSY_SECONDS: u32 = 5;
/// Changes come one after the other; the others read.
const CONNECTIONS: u32 = 4;
/// Beginning or ending a change takes no longer, nor does getting a connection: a server that says nothing is one
/// that is not there.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A db tx reads as of one moment; what does not fit is an error, never cut.
const PREPARE: &str = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ; \
     SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00', \
     SESSION autocommit = 1";

/// Nobody acts.
const NOBODY: &str = "SET @bankcore_actor = NULL, @bankcore_origin = NULL, @bankcore_at = NULL";

/// Connects to the tables beside the books, which were looked at when those were opened.
pub(super) async fn open(
    settings: &Settings,
    place: &Place,
    bank: [u8; 16],
) -> Result<AnyPool, DatabaseError> {
    sqlx::any::install_default_drivers();
    let fault = |e| DatabaseError::from_driver(place.clone(), e);
    let options: AnyConnectOptions = settings.url.parse().map_err(fault)?;
    let pool = AnyPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(prepare(connection)))
        // Takes the place of the ping that would tell whether the connection is still there.
        .test_before_acquire(false)
        .before_acquire(|connection, _| {
            Box::pin(async move { sqlx::raw_sql(NOBODY).execute(connection).await.map(|_| true) })
        })
        .connect_with(options.disable_statement_logging())
        .await
        .map_err(fault)?;
    let found: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT bank FROM bank_identity").fetch_optional(&pool).await.map_err(fault)?;
    if let Some(found) = found.filter(|found| *found != bank) {
        let (found, expected) = (super::hex(&found), super::hex(&bank));
        return Err(DatabaseError::OtherBank { place: place.clone(), found, expected });
    }
    Ok(pool)
}

async fn prepare(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(PREPARE).execute(&mut *connection).await?;
    let patience = format!("SET SESSION innodb_lock_wait_timeout = {BUSY_SECONDS}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(patience)).execute(connection).await?;
    Ok(())
}

/// Chains what other programs caused while no service changed anything. Without a bank there is nothing to chain.
pub(super) async fn chain_records(pool: &AnyPool) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    take_turn(&mut tx).await?;
    let bank: Option<Vec<u8>> =
        sqlx::query_scalar("SELECT bank FROM bank_identity").fetch_optional(&mut *tx).await?;
    if bank.is_none() {
        return Ok(());
    }
    chain::extend(&mut tx).await?;
    tx.commit().await
}

/// Opens a db tx in the name of `actor`, once those of all services before it have ended.
pub(super) async fn begin(
    pool: &AnyPool,
    actor: &Actor,
    now_us: i64,
) -> Result<Transaction<'static, Any>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    take_turn(&mut tx).await?;
    sqlx::query("SET @bankcore_actor = ?, @bankcore_origin = ?, @bankcore_at = ?")
        .bind(&*actor.name)
        .bind(&*actor.origin)
        .bind(now_us)
        .execute(&mut *tx)
        .await?;
    Ok(tx)
}

/// Waits until no other change is under way; the next ones wait for this one.
pub(super) async fn take_turn(tx: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT newest FROM audit_head WHERE one = 1 FOR UPDATE").fetch_one(tx).await.map(|_| ())
}
