//! `bankcore payment`: money that leaves the building.

mod cancel;
mod create;
mod list;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// Pay somebody at another institution, and see what became of it
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Payment {
    Create(create::CreateArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Cancel(cancel::CancelArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(payment: &Payment) -> anyhow::Result<()> {
    match payment {
        Payment::Create(args) => create::run(args),
        Payment::Show(args) => show::run(args),
        Payment::List(args) => list::run(args),
        Payment::Cancel(args) => cancel::run(args),
    }
}

const COLUMNS: [Column; 19] = [
    ("Payment", "id"),
    ("State", "state"),
    ("Mode", "mode"),
    ("Decision", "decision"),
    ("Held", "held"),
    ("Late", "late"),
    ("Rail", "rail"),
    ("From", "from_account_id"),
    ("Amount", "amount"),
    ("Currency", "currency"),
    ("Reference", "reference"),
    ("Description", "description"),
    ("Queued until", "queued_until"),
    ("Expected by", "expected_settlement"),
    ("Created at", "created_at"),
    ("Funding", "funding_id"),
    ("Settlement", "settlement_id"),
    ("Reversal", "reversal_id"),
    ("Suspense", "suspense_id"),
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

/// Prints one payment, with its timeline if it has one.
fn print(payment: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(payment);
    }
    let mut text = output::fields(payment, &COLUMNS);
    let party = |field: &str| payment["beneficiary"][field].as_str().unwrap_or_default().to_owned();
    text.push_str(&output::pairs(&[("Beneficiary", format!("{}, {}", party("name"), party("account")))]));
    if let Some(timeline) = payment["timeline"].as_array() {
        text.push_str(&output::rows(timeline, &TIMELINE).to_string());
    }
    output::print(&text)
}
