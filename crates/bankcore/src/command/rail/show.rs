//! `bankcore rail show`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Show a rail, without its secrets
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore rail show partner")]
pub struct ShowArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/rails/{}", segment(&args.name)));
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
