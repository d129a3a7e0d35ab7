//! What a service does with each table: granted by `users`, and asked for when the books are opened, so that it is
//! not the first customer who finds out that something is missing. The server is shown the statements and not made
//! to run them.

use sqlx::mysql::MySqlConnection;

use super::failure::{self, OpenError};
use super::session::sql;

/// What a service does with a table, beside reading it.
pub(super) struct Right {
    pub(super) table: &'static str,
    /// Does it add rows?
    pub(super) inserts: bool,
    /// Which columns does it change?
    pub(super) updates: &'static [&'static str],
    /// Does it delete rows? Only of what can be made again.
    pub(super) deletes: bool,
}

const fn reads(table: &'static str) -> Right {
    Right { table, inserts: false, updates: &[], deletes: false }
}

const fn adds(table: &'static str) -> Right {
    Right { table, inserts: true, updates: &[], deletes: false }
}

const fn changes(table: &'static str, updates: &'static [&'static str]) -> Right {
    Right { table, inserts: true, updates, deletes: false }
}

const fn keeps_some(table: &'static str) -> Right {
    Right { deletes: true, ..adds(table) }
}

/// Every table that a service uses. Where a row is inserted or, if it is there, changed, MariaDB
/// wants every column of it to be one that may change: what must not is the triggers' concern.
pub(super) const RIGHTS: &[Right] = &[
    changes("ledger_head", &["sequence", "hash", "time_us", "accounts", "names", "open_day", "newest_day"]),
    adds("events"),
    adds("names"),
    changes("accounts", &["status"]),
    changes(
        "account_balances",
        &[
            "account_id",
            "normal_side",
            "debits_posted",
            "credits_posted",
            "debits_held",
            "credits_held",
            "debits_released",
            "credits_released",
            "overdraft_limit",
            "version",
            "last_sequence",
        ],
    ),
    changes("transactions", &["status"]),
    adds("ledger_entries"),
    adds("account_events"),
    changes("holds", &["ended_by", "ended_how"]),
    adds("idempotency_keys"),
    adds("outbox"),
    changes("service_instances", &["id", "seen", "at_us"]),
    changes("balance_breaks", &["closed_us", "closed_by", "reason"]),
    changes("api_keys", &["revoked_at", "last_used"]),
    adds("api_key_accounts"),
    adds("audit_records"),
    adds("audit_chain"),
    Right { inserts: false, ..changes("audit_head", &["newest"]) },
    changes(
        "rails",
        &[
            "url",
            "paused",
            "iban_required",
            "opens",
            "cut_off",
            "settles_within",
            "timeout",
            "enquire_after",
            "enquire_at_most",
            "tries_max",
            "prepare_within",
        ],
    ),
    keeps_some("rail_currencies"),
    changes("rail_keys", &["retired_at"]),
    changes(
        "payments",
        &[
            "state",
            "attempt",
            "tries",
            "cancel_wanted",
            "held",
            "version",
            "due_at",
            "queued_until",
            "expected_at",
            "changed_at",
            "funding_id",
            "settlement_id",
            "reversal_id",
            "suspense_id",
            "refusal_id",
        ],
    ),
    adds("payment_transitions"),
    changes(
        "incoming_payments",
        &["state", "attempt", "version", "due_at", "changed_at", "transaction_id", "code"],
    ),
    adds("incoming_cancels"),
    changes(
        "promises",
        &[
            "state",
            "decision",
            "heuristic",
            "decided_by",
            "decided_at",
            "decided_why",
            "told",
            "code",
            "attempt",
            "tries",
            "version",
            "due_at",
            "changed_at",
            "hold_id",
            "end_id",
        ],
    ),
    adds("promise_transitions"),
    changes("cases", &["resolved_at", "resolution"]),
    adds("case_history"),
    Right { inserts: false, ..changes("drivers", &["holder", "until", "seen"]) },
    Right {
        deletes: true,
        ..changes(
            "subscriptions",
            &["name", "target", "kinds", "filter_accounts", "disabled_at", "disabled_why"],
        )
    },
    Right { deletes: true, ..changes("subscription_secrets", &["expires_at"]) },
    Right { deletes: true, ..changes("outbox_marks", &["mark", "updated_at"]) },
    keeps_some("outbox_parked"),
    keeps_some("outbox_dead_letters"),
    keeps_some("outbox_attempts"),
    keeps_some("snapshots"),
    keeps_some("snapshot_parts"),
    reads("bank_identity"),
    reads("copied_from"),
    reads("currencies"),
    reads("tellers"),
    reads("_sqlx_migrations"),
];

impl Right {
    /// As a GRANT names it: `SELECT, INSERT, UPDATE (status)`.
    pub(super) fn privileges(&self) -> String {
        let mut privileges = String::from("SELECT");
        if self.inserts {
            privileges.push_str(", INSERT");
        }
        if !self.updates.is_empty() {
            privileges.push_str(&format!(", UPDATE ({})", self.updates.join(", ")));
        }
        if self.deletes {
            privileges.push_str(", DELETE");
        }
        privileges
    }

    fn statements(&self) -> Vec<String> {
        let table = self.table;
        let mut statements = vec![format!("SELECT * FROM {table} LIMIT 0")];
        if self.inserts {
            statements.push(format!("EXPLAIN INSERT INTO {table} () VALUES ()"));
        }
        if !self.updates.is_empty() {
            let set: Vec<String> = self.updates.iter().map(|column| format!("{column}={column}")).collect();
            statements.push(format!("EXPLAIN UPDATE {table} SET {} WHERE 1=0", set.join(",")));
        }
        if self.deletes {
            statements.push(format!("EXPLAIN DELETE FROM {table} WHERE 1=0"));
        }
        statements
    }
}

/// Refuses a user who lacks a right, and says which GRANT would give it.
pub(super) async fn check(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    for right in RIGHTS {
        for statement in right.statements() {
            let Err(error) = sql(statement).execute(&mut *connection).await else { continue };
            match failure::number(&error) {
                // Rights are looked at before values: a row without any is no concern here.
                Some(NO_VALUE) => {}
                Some(number) if MISSING.contains(&number) => {
                    return Err(missing(connection, right, &error).await);
                }
                _ => return Err(OpenError::from_driver(&error)),
            }
        }
    }
    Ok(())
}

/// A column without a value and without a default.
const NO_VALUE: u16 = 1364;
/// A table, a column, a view of which the user may not do this.
const MISSING: &[u16] = &[1142, 1143, 1345];

async fn missing(connection: &mut MySqlConnection, right: &Right, error: &sqlx::Error) -> OpenError {
    let who = "SELECT CAST(DATABASE() AS CHAR), CAST(CURRENT_USER() AS CHAR)";
    let asked: Result<(String, String), _> = sqlx::query_as(who).fetch_one(connection).await;
    let Ok((database, user)) = asked else { return OpenError::from_driver(error) };
    let (name, host) = user.rsplit_once('@').unwrap_or((&user, "%"));
    OpenError::Privilege {
        why: error.to_string(),
        remedy: format!(
            "as an administrator: GRANT {} ON `{database}`.`{}` TO '{name}'@'{host}'",
            right.privileges(),
            right.table
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_is_what_a_grant_calls_it() {
        let of = |table: &str| {
            let right = RIGHTS.iter().find(|right| right.table == table).expect("in the list");
            right.privileges()
        };
        assert_eq!(of("currencies"), "SELECT");
        assert_eq!(of("events"), "SELECT, INSERT");
        assert_eq!(of("transactions"), "SELECT, INSERT, UPDATE (status)");
        assert_eq!(of("snapshots"), "SELECT, INSERT, DELETE");
    }
}
