//! `bankcore inspect`: what is stored, decoded, as it stands in the files. Read-only; a server may be running.

mod account;
mod event;
mod head;
mod segment;
mod transaction;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::DataArgs;

/// Look at what is stored: an event, an account's history, a segment, the head
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Inspect {
    Transaction(transaction::TransactionArgs),
    Account(account::AccountArgs),
    Segment(segment::SegmentArgs),
    Head(head::HeadArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(inspect: &Inspect) -> anyhow::Result<()> {
    match inspect {
        Inspect::Transaction(args) => transaction::run(args),
        Inspect::Account(args) => account::run(args),
        Inspect::Segment(args) => segment::run(args),
        Inspect::Head(args) => head::run(args),
    }
}

/// Which folder, and whether bytes are shown.
#[derive(Args)]
struct LookArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Show the bytes too
    #[arg(long)]
    hex: bool,
}

impl LookArgs {
    /// The data folder, which must hold a bank.
    fn dir(&self) -> anyhow::Result<PathBuf> {
        folder(&self.data)
    }
}

fn folder(data: &DataArgs) -> anyhow::Result<PathBuf> {
    let dir = data.load()?.data;
    if !bank::service::is_bank(&dir) {
        anyhow::bail!("{} holds no bank; name the right folder with --data", dir.display());
    }
    Ok(dir)
}
