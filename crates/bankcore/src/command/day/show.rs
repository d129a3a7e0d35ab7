//! `bankcore day show`.

use clap::Args;

use super::PATH;
use crate::cli::AskArgs;
use crate::client::{self, Call};

/// Show which business day is open
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore day show\n  bankcore day show --json")]
pub struct ShowArgs {
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    super::print(&client::ask(&args.ask.data, Call::get(PATH))?, args.ask.json)
}
