//! `bankcore outbox replay`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Send events once more: some, a range, or all dead letters; at most 10,000
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore outbox replay 019aa3f0-7c00-7abc-8def-0123456789ab --event 123 --event 125\n  \
    bankcore outbox replay 019aa3f0-7c00-7abc-8def-0123456789ab --from 100 --to 200\n  \
    bankcore outbox replay 019aa3f0-7c00-7abc-8def-0123456789ab --dead-letters"
)]
pub struct ReplayArgs {
    /// The subscription's id
    id: String,
    /// This event; may be said several times
    #[arg(long = "event", value_name = "SEQUENCE", conflicts_with_all = ["from", "to", "dead_letters"])]
    events: Vec<String>,
    /// From this event on
    #[arg(long, value_name = "SEQUENCE", requires = "to", conflicts_with = "dead_letters")]
    from: Option<String>,
    /// Up to this event, this one included
    #[arg(long, value_name = "SEQUENCE", requires = "from")]
    to: Option<String>,
    /// All that was given up
    #[arg(long)]
    dead_letters: bool,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let body = match (&args.from, &args.to) {
        (Some(from), Some(to)) => json!({"from": from, "to": to}),
        _ if args.dead_letters => json!({"dead_letters": true}),
        _ => json!({"events": args.events}),
    };
    let path = format!("/api/v1/outbox/{}/replay", segment(&args.id));
    let replayed = client::ask(&args.ask.data, Call::post(path, body))?;
    if args.ask.json {
        return output::json(&replayed);
    }
    output::print(&format!("{} events are sent once more", replayed["events"]))
}
