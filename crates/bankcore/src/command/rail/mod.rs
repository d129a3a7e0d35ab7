//! `bankcore rail`: the ways to other institutions.

mod add_key;
mod list;
mod retire_key;
mod set;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// Set up the ways to other institutions
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Rail {
    Set(set::SetArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    AddKey(add_key::AddKeyArgs),
    RetireKey(retire_key::RetireKeyArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(rail: &Rail) -> anyhow::Result<()> {
    match rail {
        Rail::Set(args) => set::run(args),
        Rail::Show(args) => show::run(args),
        Rail::List(args) => list::run(args),
        Rail::AddKey(args) => add_key::run(args),
        Rail::RetireKey(args) => retire_key::run(args),
    }
}

const COLUMNS: [Column; 7] = [
    ("Rail", "name"),
    ("Status", "status"),
    ("Modes", "modes"),
    ("IBAN required", "iban_required"),
    ("Opens", "opens"),
    ("Cut-off", "cut_off"),
    ("Settles within, s", "settles_within_seconds"),
];

const OPERATION: [Column; 7] = [
    ("URL", "url"),
    ("Time-out, ms", "timeout_ms"),
    ("First question after, ms", "enquire_after_ms"),
    ("Then at most every, ms", "enquire_at_most_ms"),
    ("Case after questions", "tries_max"),
    ("Prepared within, ms", "prepare_within_ms"),
    ("Keys", "key_ids"),
];

const CURRENCIES: [Column; 5] = [
    ("Currency", "currency"),
    ("Amount", "amount_max"),
    ("Clearing", "clearing_account_id"),
    ("Settlement", "settlement_account_id"),
    ("Suspense", "suspense_account_id"),
];

/// Prints one rail.
fn print(rail: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(rail);
    }
    let currencies = rail["currencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let operation = output::fields(&rail["operation"], &OPERATION);
    output::print(&format!(
        "{}{operation}{}",
        output::fields(rail, &COLUMNS),
        output::rows(currencies, &CURRENCIES)
    ))
}
