//! `bankcore db status`: which tables are there.

use bank::store::mysql;
use clap::Args;

use super::DatabaseArgs;

/// Show which migrations have been run
#[derive(Args)]
#[command(after_help = "Example:\n  bankcore db status --store mysql://owner:secret@localhost:3306/bank")]
pub struct StatusArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Prints them.
///
/// # Errors
/// If the database cannot be asked.
pub(super) fn run(args: &StatusArgs) -> anyhow::Result<()> {
    let migrations = super::runtime()?.block_on(mysql::status(&args.database.load()?))?;
    super::print(&migrations)
}
