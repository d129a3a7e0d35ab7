//! `bankcore db migrate`: makes the tables, or brings them up to date.

use bank::store::mysql;
use clap::Args;

use super::DatabaseArgs;

/// Make the tables, or bring them up to date; what is up to date is left as it is
#[derive(Args)]
#[command(
    after_help = "Example:\n  bankcore db migrate --store mysql://owner:secret@localhost:3306/bank\n\n\
    The user must be allowed to create tables, triggers and procedures; on a server with a binary log, as MySQL keeps \
    one, that takes log_bin_trust_function_creators = 1. Stop the services first when tables change."
)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Runs what has not been run.
///
/// # Errors
/// Why the tables are not there.
pub(super) fn run(args: &MigrateArgs) -> anyhow::Result<()> {
    let migrations = super::runtime()?.block_on(mysql::migrate(&args.database.load()?))?;
    super::print(&migrations)
}
