//! The guards: every trigger is there, and what must be unique still is.

use std::collections::BTreeSet;

use sqlx::Row as _;

use super::super::report::Check;
use super::strange;
use crate::store::mysql::OpenError;
use crate::store::mysql::moment::Moment;

/// Where the triggers are made.
const TRIGGERS: [&str; 6] = [
    include_str!("../../../migrations/mysql/0002_guards.sql"),
    include_str!("../../../migrations/mysql/0005_bank_database.sql"),
    include_str!("../../../migrations/mysql/0007_payments.sql"),
    include_str!("../../../migrations/mysql/0008_outbox.sql"),
    include_str!("../../../migrations/mysql/0011_two_phase.sql"),
    include_str!("../../../migrations/mysql/0012_saga_between_bankcores.sql"),
];

/// What no two rows may share.
const UNIQUE: &[&str] = &[
    "account_balances.account_id",
    "account_events.account_id,version",
    "accounts.id",
    "accounts.number_digest",
    "api_key_accounts.key_id,account_id",
    "api_keys.hash",
    "api_keys.id",
    "api_keys.prefix",
    "audit_chain.id",
    "audit_head.one",
    "audit_records.id",
    "case_history.case_id,entry",
    "cases.id",
    "cases.number",
    "events.sequence",
    "holds.end_digest",
    "holds.id",
    "idempotency_keys.digest",
    "incoming_cancels.rail,reference",
    "incoming_payments.id",
    "incoming_payments.rail,reference",
    "ledger_entries.transaction_id,position",
    "ledger_head.id",
    "names.id",
    "names.kind,name",
    "outbox_attempts.subscription_id,number",
    "outbox_dead_letters.subscription_id,sequence",
    "outbox_marks.subscription_id",
    "outbox_parked.subscription_id,sequence",
    "subscription_secrets.id",
    "subscriptions.id",
    "payment_transitions.payment,version",
    "payments.id",
    "payments.number",
    "payments.principal,idempotency_key",
    "payments.reference",
    "promise_transitions.promise,version",
    "promises.id",
    "promises.number",
    "promises.rail,reference",
    "rail_currencies.rail,currency",
    "rail_keys.rail,key_id",
    "rails.name",
    "transactions.id",
];

/// Looks for them in the server's own tables.
pub(super) async fn check(moment: &mut Moment) -> Result<Check, OpenError> {
    let triggers = texts(
        moment,
        "SELECT CAST(trigger_name AS CHAR) FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
    )
    .await?;
    let unique = texts(
        moment,
        "SELECT CAST(CONCAT(table_name, '.', GROUP_CONCAT(column_name ORDER BY seq_in_index)) AS CHAR) \
         FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 \
         GROUP BY table_name, index_name",
    )
    .await?;
    let lines = || TRIGGERS.iter().flat_map(|text| text.lines());
    let due = || lines().filter_map(|line| line.strip_prefix("CREATE TRIGGER ")?.split(' ').next());
    let checked = (due().count() + UNIQUE.len()) as u64;
    let mut wrong: Vec<String> = Vec::new();
    if triggers.is_empty() {
        wrong.push(
            "no trigger is to be seen: they were taken out, or the user lacks the privilege TRIGGER".into(),
        );
    } else {
        let gone = due().filter(|name| !triggers.contains(*name));
        wrong.extend(gone.map(|name| format!("trigger {name} is missing")));
    }
    let gone = UNIQUE.iter().filter(|columns| !unique.contains(**columns));
    wrong.extend(gone.map(|columns| format!("{columns} is not unique any more")));
    Ok(Check { name: "guards", ok: wrong.is_empty(), checked, detail: wrong.join("; ") })
}

async fn texts(moment: &mut Moment, question: &str) -> Result<BTreeSet<String>, OpenError> {
    let rows = moment.rows(question.to_owned()).await?;
    rows.iter().map(|row| row.try_get(0).map_err(strange)).collect()
}
