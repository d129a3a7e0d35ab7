//! `bankcore break`: balances in the tables of a database that their entries did not explain.

mod close;
mod list;

use clap::Subcommand;

/// Balances in the database that their entries did not explain
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Break {
    List(list::ListArgs),
    Close(close::CloseArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(command: &Break) -> anyhow::Result<()> {
    match command {
        Break::List(args) => list::run(args),
        Break::Close(args) => close::run(args),
    }
}
