//! May the database user do what a service does? Asked when the books are opened, so that it is not the first
//! customer who finds out. The server is shown the statements and not made to run them.

use sqlx::mysql::MySqlConnection;

use super::failure::{self, OpenError};
use super::session::sql;

/// Tables that get rows.
const GROWS: &[&str] = &[
    "ledger_head",
    "events",
    "names",
    "accounts",
    "transactions",
    "ledger_entries",
    "account_events",
    "holds",
    "account_balances",
    "idempotency_keys",
    "outbox",
    "service_instances",
    "balance_breaks",
    "api_keys",
    "api_key_accounts",
    "audit_records",
    "audit_chain",
    "subscriptions",
    "subscription_secrets",
    "outbox_marks",
    "outbox_parked",
    "outbox_dead_letters",
    "outbox_attempts",
];

/// And those of which some columns change.
const CHANGES: &[(&str, &str)] = &[
    ("ledger_head", "sequence"),
    ("accounts", "status"),
    ("transactions", "status"),
    ("holds", "ended_by"),
    ("account_balances", "version"),
    ("service_instances", "seen"),
    ("api_keys", "revoked_at"),
    ("audit_head", "newest"),
    ("subscriptions", "disabled_at"),
    ("subscription_secrets", "expires_at"),
    ("outbox_marks", "mark"),
];

/// Refuses a user who lacks a right.
pub(super) async fn check(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    let insert = |table: &&str| format!("EXPLAIN INSERT INTO {table} () VALUES ()");
    let update =
        |&(table, column): &(&str, &str)| format!("EXPLAIN UPDATE {table} SET {column}={column} WHERE 1=0");
    for statement in GROWS.iter().map(insert).chain(CHANGES.iter().map(update)) {
        let Err(error) = sql(statement).execute(&mut *connection).await else { continue };
        // Rights are looked at before values: a row without any is no concern here.
        if failure::number(&error) != Some(NO_VALUE) {
            return Err(OpenError::from_driver(&error));
        }
    }
    Ok(())
}

/// A column without a value and without a default.
const NO_VALUE: u16 = 1364;
