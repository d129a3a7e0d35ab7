//! `bankcore account close`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Close an empty account, for good
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore account close 101\n  bankcore account close 101 --reason 'Customer moved away'"
)]
pub struct CloseArgs {
    /// The account
    id: String,
    /// Kept in the event
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CloseArgs) -> anyhow::Result<()> {
    let body = args.reason.as_ref().map_or(json!({}), |reason| json!({"reason": reason}));
    let call = Call::post(format!("/api/v1/accounts/{}/close", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
