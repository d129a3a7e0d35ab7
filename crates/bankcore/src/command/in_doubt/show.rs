//! `bankcore in-doubt show`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Show a promise with its timeline
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore in-doubt show 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct ShowArgs {
    /// The promise
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/in-doubt/{}", segment(&args.id)));
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
