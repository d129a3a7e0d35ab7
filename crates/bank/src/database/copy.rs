//! Everything from one bank database into a new one, of either dialect: rows as they are, numbers, signatures and
//! hashes of the audit trail included.
//!
//! The triggers of the new one would record each row as made just now. In a file they are taken out while it is still
//! a draft that nobody opens; on a server they let a trail come in as long as there is none (`audit_head.filling`).
//! Either way all of it is there at once, or nothing.

use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Row as _, ValueRef as _};

use super::error::DatabaseError;
use super::{Database, chain, mysql};

/// The tables that are copied and their columns, what others refer to first. The rows go in the order of the first
/// column.
pub(super) const TABLES: &[(&str, &str)] = &[
    (
        "api_keys",
        "id, prefix, hash, name, principal, role, drawer_account_id, created_at, created_by, expires_at, \
         revoked_at, last_used",
    ),
    ("api_key_accounts", "key_id, account_id"),
    (
        "subscriptions",
        "id, sink, name, target, principal, role, accounts, kinds, filter_accounts, begins_after, \
         created_at, created_by, disabled_at, disabled_why, templates",
    ),
    ("subscription_secrets", "id, subscription_id, secret, created_at, expires_at"),
    ("outbox_marks", "subscription_id, mark, updated_at"),
    ("outbox_parked", "subscription_id, sequence, attempts, due_at"),
    ("outbox_dead_letters", "subscription_id, sequence, attempts, given_up_at, why"),
    ("outbox_attempts", "subscription_id, number, sequence, attempt, at, took, status, detail"),
    ("audit_records", "id, at, actor, origin, action, object, object_id, before_state, after_state"),
    ("audit_chain", "id, hash"),
    (
        "rails",
        "name, url, paused, iban_required, opens, cut_off, settles_within, timeout, enquire_after, \
         enquire_at_most, tries_max, created_at, prepare_within",
    ),
    (
        "rail_currencies",
        "rail, currency, amount_max, clearing_account_id, settlement_account_id, suspense_account_id",
    ),
    ("rail_keys", "rail, key_id, secret, created_at, retired_at"),
    ("payments", crate::payments::payment::COLUMNS),
    (
        "payment_transitions",
        "payment, version, at, actor, origin, from_state, to_state, attempt, observed, reason, transaction_id",
    ),
    (
        "incoming_payments",
        "id, rail, reference, fingerprint, amount, currency, debtor_name, debtor_account, beneficiary_name, \
         beneficiary_account, description, state, attempt, version, due_at, created_at, changed_at, account_id, \
         transaction_id, asked, code",
    ),
    ("incoming_cancels", "rail, reference, cancelled_at"),
    ("promises", crate::payments::two_phase::promise::COLUMNS),
    (
        "promise_transitions",
        "promise, version, at, actor, origin, from_state, to_state, attempt, observed, reason, transaction_id",
    ),
    (
        "cases",
        "id, number, kind, payment, incoming, rail, amount_at_risk, currency, evidence, opened_at, resolved_at, \
         resolution, promise",
    ),
    ("case_history", "case_id, entry, at, actor, action, reason"),
];

/// Rows of one INSERT.
const TOGETHER: usize = 64;

/// Fills a draft that nobody else has open.
pub(super) async fn into_draft(from: &Database, to: &AnyPool) -> Result<(), sqlx::Error> {
    let mut source = from.pool().begin().await?;
    let mut tx = to.begin_with("BEGIN IMMEDIATE").await?;
    let triggers: Vec<(String, String)> =
        sqlx::query_as("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut *tx)
            .await?;
    for (name, _) in &triggers {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP TRIGGER {name}"))).execute(&mut *tx).await?;
    }
    copy(&mut source, &mut tx).await?;
    for (_, text) in triggers {
        sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Fills the tables on a server. What is there already by an earlier call is left as it is.
pub(super) async fn into_server(from: &Database, to: &Database) -> Result<(), DatabaseError> {
    if to.within(is_there(from, to)).await.map_err(|e| to.fault(e))? {
        return Ok(());
    }
    let taken = async {
        let mut source = from.pool().begin().await?;
        let mut tx = to.pool().begin().await?;
        mysql::take_turn(&mut tx).await?;
        let there: i64 = sqlx::query_scalar(
            "SELECT (SELECT count(*) FROM api_keys) + (SELECT newest FROM audit_head WHERE one = 1)",
        )
        .fetch_one(&mut *tx)
        .await?;
        if there > 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE audit_head SET filling = 1 WHERE one = 1").execute(&mut *tx).await?;
        copy(&mut source, &mut tx).await?;
        sqlx::query("UPDATE audit_head SET filling = 0 WHERE one = 1").execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(true)
    };
    match taken.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(DatabaseError::TwoTrails { place: from.place().clone() }),
        Err(error) => Err(to.fault(error)),
    }
}

/// Is the whole trail of `from` in `to` already, whatever came after it?
async fn is_there(from: &Database, to: &Database) -> Result<bool, sqlx::Error> {
    let (id, hash) = chain::end(&mut *from.pool().acquire().await?).await?;
    if id == 0 {
        return Ok(true);
    }
    let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM audit_chain WHERE id = ?")
        .bind(id)
        .fetch_optional(to.pool())
        .await?;
    Ok(found.is_some_and(|found| found == hash))
}

async fn copy(from: &mut AnyConnection, to: &mut AnyConnection) -> Result<(), sqlx::Error> {
    for (table, columns) in TABLES {
        let question = format!("SELECT {columns} FROM {table} ORDER BY 1");
        let mut rows = sqlx::query(AssertSqlSafe(question)).fetch(&mut *from);
        let mut some = Vec::with_capacity(TOGETHER);
        while let Some(row) = rows.try_next().await? {
            some.push(row);
            if some.len() == TOGETHER {
                insert(to, table, columns, &some).await?;
                some.clear();
            }
        }
        insert(to, table, columns, &some).await?;
    }
    Ok(())
}

/// How many rows each table has, and the SHA-256 over all that they say.
pub(super) async fn summary(of: &Database) -> Result<Vec<(&'static str, u64, [u8; 32])>, sqlx::Error> {
    let mut tx = of.pool().begin().await?;
    let mut tables = Vec::new();
    for (table, columns) in TABLES {
        let key = columns.split(", ").take(2).collect::<Vec<_>>().join(", ");
        let question = format!("SELECT {columns} FROM {table} ORDER BY {key}");
        let mut rows = sqlx::query(AssertSqlSafe(question)).fetch(&mut *tx);
        let (mut count, mut hash) = (0, Sha256::new());
        while let Some(row) = rows.try_next().await? {
            count += 1;
            for column in 0..row.len() {
                let bytes = match row.try_get_raw(column)?.type_info().kind() {
                    AnyTypeInfoKind::Null => None,
                    AnyTypeInfoKind::Blob => Some(row.try_get::<Vec<u8>, _>(column)?),
                    AnyTypeInfoKind::Text => Some(row.try_get::<String, _>(column)?.into_bytes()),
                    _ => Some(row.try_get::<i64, _>(column)?.to_be_bytes().to_vec()),
                };
                hash.update(bytes.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64).to_be_bytes());
                hash.update(bytes.unwrap_or_default());
            }
        }
        tables.push((*table, count, hash.finalize().into()));
    }
    Ok(tables)
}

async fn insert(
    to: &mut AnyConnection,
    table: &str,
    columns: &str,
    rows: &[AnyRow],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let values = format!("({})", vec!["?"; columns.split(',').count()].join(", "));
    let text = format!("INSERT INTO {table} ({columns}) VALUES {}", vec![values; rows.len()].join(", "));
    let mut query = sqlx::query(AssertSqlSafe(text));
    for row in rows {
        for column in 0..row.len() {
            let kind = row.try_get_raw(column)?.type_info().kind();
            query = match kind {
                AnyTypeInfoKind::Null => query.bind(None::<i64>),
                AnyTypeInfoKind::Blob => query.bind(row.try_get::<Vec<u8>, _>(column)?),
                AnyTypeInfoKind::Text => query.bind(row.try_get::<String, _>(column)?),
                _ => query.bind(row.try_get::<i64, _>(column)?),
            };
        }
    }
    query.execute(to).await.map(|_| ())
}
