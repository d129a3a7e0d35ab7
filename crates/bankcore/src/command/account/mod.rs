//! `bankcore account`: open, look at, freeze and close accounts.

mod balance;
mod close;
mod entries;
mod freeze;
mod list;
mod open;
mod show;
mod unfreeze;

use clap::Subcommand;
use serde_json::Value;

use crate::output::{self, Column};

/// Open, look at, freeze and close accounts
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Account {
    Open(open::OpenArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Balance(balance::BalanceArgs),
    Entries(entries::EntriesArgs),
    Freeze(freeze::FreezeArgs),
    Unfreeze(unfreeze::UnfreezeArgs),
    Close(close::CloseArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(account: &Account) -> anyhow::Result<()> {
    match account {
        Account::Open(args) => open::run(args),
        Account::Show(args) => show::run(args),
        Account::List(args) => list::run(args),
        Account::Balance(args) => balance::run(args),
        Account::Entries(args) => entries::run(args),
        Account::Freeze(args) => freeze::run(args),
        Account::Unfreeze(args) => unfreeze::run(args),
        Account::Close(args) => close::run(args),
    }
}

const COLUMNS: [Column; 13] = [
    ("Account", "id"),
    ("Number", "number"),
    ("Name", "name"),
    ("Type", "type"),
    ("Currency", "currency"),
    ("Status", "status"),
    ("Owner", "owner"),
    ("Balance", "ledger_balance"),
    ("Available", "available_balance"),
    ("Held", "held"),
    ("Overdraft", "overdraft_limit"),
    ("Version", "version"),
    ("Opened at", "opened_at"),
];

/// Prints one account.
fn print(account: &Value, json: bool) -> anyhow::Result<()> {
    if json { output::json(account) } else { output::print(&output::fields(account, &COLUMNS)) }
}
