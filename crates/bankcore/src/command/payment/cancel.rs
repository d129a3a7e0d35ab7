//! `bankcore payment cancel`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Have a payment cancelled, if the rail has not paid it
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore payment cancel 019aa3f0-7c00-7abc-8def-0123456789ab\n  \
    bankcore payment cancel 019aa3f0-7c00-7abc-8def-0123456789ab --reason 'Sent to the wrong person'")]
pub struct CancelArgs {
    /// The payment
    id: String,
    /// For its timeline
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CancelArgs) -> anyhow::Result<()> {
    let body = args.reason.as_ref().map_or(json!({}), |reason| json!({"reason": reason}));
    let call = Call::post(format!("/api/v1/payments/{}/cancel", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
