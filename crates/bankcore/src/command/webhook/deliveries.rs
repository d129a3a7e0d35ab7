//! `bankcore webhook deliveries`.

use clap::Args;

use super::ATTEMPTS;
use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// List the newest attempts to deliver, newest first
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore webhook deliveries 019aa3f0-7c00-7abc-8def-0123456789ab --limit 20"
)]
pub struct DeliveriesArgs {
    /// The webhook's id
    id: String,
    /// How many at most, 1 to 500
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &DeliveriesArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/webhooks/{}/deliveries", segment(&args.id)));
    let list = client::ask(&args.ask.data, call.query("limit", Some(&args.limit.to_string())))?;
    if args.ask.json {
        return output::json(&list);
    }
    let items = list["items"].as_array().map_or(&[][..], Vec::as_slice);
    output::print(&output::rows(items, &ATTEMPTS).to_string())
}
