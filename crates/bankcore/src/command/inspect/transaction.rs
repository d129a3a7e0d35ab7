//! `bankcore inspect transaction`.

use anyhow::{Context as _, bail};
use bank::verify::places;
use clap::Args;

use super::{LookArgs, event};
use crate::output;

/// Show the event with this sequence; a transaction's id is the sequence of its event
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore inspect transaction 123\n  bankcore inspect transaction 123 --hex"
)]
pub struct TransactionArgs {
    /// Its id
    id: u64,
    #[command(flatten)]
    look: LookArgs,
}

pub(super) fn run(args: &TransactionArgs) -> anyhow::Result<()> {
    let dir = args.look.dir()?;
    let found = places::find(&dir, args.id).context("the journal cannot be read; check the disk")?;
    let Some(record) = found else {
        bail!("the journal holds no event {}; bankcore inspect head shows the newest", args.id);
    };
    output::print(&event::text(&record, args.look.hex))
}
