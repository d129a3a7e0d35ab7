//! `bankcore account freeze`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Freeze an account: no ordinary entries on either side
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore account freeze 101\n  bankcore account freeze 101 --reason 'Court order 17/2026'"
)]
pub struct FreezeArgs {
    /// The account
    id: String,
    /// Kept in the event
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &FreezeArgs) -> anyhow::Result<()> {
    let body = args.reason.as_ref().map_or(json!({}), |reason| json!({"reason": reason}));
    let call = Call::post(format!("/api/v1/accounts/{}/freeze", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
