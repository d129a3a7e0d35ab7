//! `bankcore outbox list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List all subscriptions, webhooks and brokers, and how far each is
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore outbox list\n  bankcore outbox list --json")]
pub struct ListArgs {
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 9] = [
    ("Id", "id"),
    ("Sink", "sink"),
    ("Name", "name"),
    ("Status", "status"),
    ("Delivered through", "delivered_through"),
    ("Events behind", "lag_events"),
    ("Seconds behind", "lag_seconds"),
    ("Parked", "parked"),
    ("Dead letters", "dead_letters"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let mut list = client::ask(&args.ask.data, Call::get("/api/v1/outbox"))?;
    let items = list["items"].take();
    if args.ask.json {
        return output::json(&json!({"items": items}));
    }
    output::print(&output::rows(items.as_array().map_or(&[], Vec::as_slice), &COLUMNS).to_string())
}
