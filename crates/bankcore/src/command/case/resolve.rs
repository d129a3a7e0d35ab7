//! `bankcore case resolve`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Decide about a case; the decision and its reason stay for ever
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bankcore case resolve 019aa3f0-7c00-7abc-8def-0123456789ab resume --reason 'The rail is back'\n  \
    bankcore case resolve 019aa3f0-7c00-7abc-8def-0123456789ab paid --reason 'Confirmed by phone, ticket 4711'\n\n\
    resume: go on asking · cancel: have it cancelled at the rail · paid, not_paid: it is known from elsewhere what \
    the rail did · suspend: do not try to give it back any more · close: nothing is left to do")]
pub struct ResolveArgs {
    /// The case
    id: String,
    /// What was decided
    #[arg(value_parser = ["resume", "cancel", "paid", "not_paid", "suspend", "close"])]
    resolution: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ResolveArgs) -> anyhow::Result<()> {
    let body = json!({"resolution": args.resolution, "reason": args.reason});
    let call = Call::post(format!("/api/v1/cases/{}/resolve", segment(&args.id)), body);
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
