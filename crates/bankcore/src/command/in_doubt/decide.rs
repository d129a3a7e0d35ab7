//! `bankcore in-doubt decide`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Decide in the other bank's place; it may have decided otherwise
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bankcore in-doubt decide 019aa3f0-7c00-7abc-8def-0123456789ab abort --reason 'Confirmed by letter, ticket 4711'\n\n\
    Decision, reason and person stay for ever. If the other bank decided otherwise, no money moves by it; both banks \
    have a case.")]
pub struct DecideArgs {
    /// The promise
    id: String,
    /// What was decided
    #[arg(value_parser = ["commit", "abort"])]
    decision: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &DecideArgs) -> anyhow::Result<()> {
    let body = json!({"decision": args.decision, "reason": args.reason});
    let call = Call::post(format!("/api/v1/in-doubt/{}/decide", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
