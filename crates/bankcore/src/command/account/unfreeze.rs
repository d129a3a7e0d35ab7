//! `bankcore account unfreeze`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Release a frozen account
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore account unfreeze 101\n  bankcore account unfreeze 101 --reason 'Court order lifted'"
)]
pub struct UnfreezeArgs {
    /// The account
    id: String,
    /// Kept in the event
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &UnfreezeArgs) -> anyhow::Result<()> {
    let body = args.reason.as_ref().map_or(json!({}), |reason| json!({"reason": reason}));
    let call = Call::post(format!("/api/v1/accounts/{}/unfreeze", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
