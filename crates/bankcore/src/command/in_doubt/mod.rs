//! `bankcore in-doubt`: what this bank has promised others, and waits for.

mod decide;
mod list;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// List, look at and decide what other banks had this one prepare
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum InDoubt {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Decide(decide::DecideArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(in_doubt: &InDoubt) -> anyhow::Result<()> {
    match in_doubt {
        InDoubt::List(args) => list::run(args),
        InDoubt::Show(args) => show::run(args),
        InDoubt::Decide(args) => decide::run(args),
    }
}

const COLUMNS: [Column; 19] = [
    ("Promise", "id"),
    ("State", "state"),
    ("Rail", "rail"),
    ("Reference", "reference"),
    ("Amount", "amount"),
    ("Currency", "currency"),
    ("Account", "account_id"),
    ("Created at", "created_at"),
    ("Age, s", "age_seconds"),
    ("Deadline", "deadline"),
    ("Overdue", "overdue"),
    ("Decision", "decision"),
    ("Heuristic", "heuristic"),
    ("Decided by", "decided_by"),
    ("Reason", "reason"),
    ("Coordinator said", "coordinator_said"),
    ("Refusal", "refusal"),
    ("Hold", "hold_id"),
    ("Transaction", "transaction_id"),
];

const TIMELINE: [Column; 7] = [
    ("At", "at"),
    ("State", "to"),
    ("Seen", "observed"),
    ("By", "actor"),
    ("Attempt", "attempt"),
    ("Transaction", "transaction_id"),
    ("Reason", "reason"),
];

/// Prints one promise with its timeline.
fn print(promise: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(promise);
    }
    let timeline = promise["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    output::print(&format!("{}{}", output::fields(promise, &COLUMNS), output::rows(timeline, &TIMELINE)))
}
