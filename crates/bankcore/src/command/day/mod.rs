//! `bankcore day`: the accounting day on which transactions are booked.

mod close;
mod open;
mod show;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// Show, open and close the business day
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Day {
    Show(show::ShowArgs),
    Open(open::OpenArgs),
    Close(close::CloseArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(day: &Day) -> anyhow::Result<()> {
    match day {
        Day::Show(args) => show::run(args),
        Day::Open(args) => open::run(args),
        Day::Close(args) => close::run(args),
    }
}

const PATH: &str = "/api/v1/business-day";

const COLUMNS: [Column; 2] = [("Open", "open"), ("Newest", "newest")];

fn print(day: &Value, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(day);
    }
    let none = if day["open"].is_null() { "No business day is open.\n" } else { "" };
    output::print(&format!("{}{none}", output::fields(day, &COLUMNS)))
}
