//! `bankcore account show`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Show an account as it stands
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore account show 101\n  bankcore account show 101 --json")]
pub struct ShowArgs {
    /// The account
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/accounts/{}", segment(&args.id)));
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
