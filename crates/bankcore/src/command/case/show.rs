//! `bankcore case show`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Show a case with its evidence and history
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore case show 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct ShowArgs {
    /// The case
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/cases/{}", segment(&args.id)));
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
