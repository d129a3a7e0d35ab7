//! `bankcore case`: what a person has to look at.

mod list;
mod resolve;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// List, look at and resolve what no rule could
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Case {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Resolve(resolve::ResolveArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(case: &Case) -> anyhow::Result<()> {
    match case {
        Case::List(args) => list::run(args),
        Case::Show(args) => show::run(args),
        Case::Resolve(args) => resolve::run(args),
    }
}

const COLUMNS: [Column; 12] = [
    ("Case", "id"),
    ("Kind", "kind"),
    ("Status", "status"),
    ("Payment", "payment_id"),
    ("Incoming", "incoming_id"),
    ("Rail", "rail"),
    ("At risk", "money_at_risk"),
    ("Currency", "currency"),
    ("Evidence", "evidence"),
    ("Age, s", "age_seconds"),
    ("Resolution", "resolution"),
    ("Resolved at", "resolved_at"),
];

const HISTORY: [Column; 4] = [("At", "at"), ("Action", "action"), ("By", "actor"), ("Reason", "reason")];

/// Prints one case with its history.
fn print(case: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(case);
    }
    let history = case["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    output::print(&format!("{}{}", output::fields(case, &COLUMNS), output::rows(history, &HISTORY)))
}
