//! `bankcore webhook list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List webhooks and how far they are
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook list\n  bankcore webhook list --json")]
pub struct ListArgs {
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Id", "id"),
    ("Name", "name"),
    ("URL", "url"),
    ("Principal", "principal"),
    ("Status", "status"),
    ("Events behind", "lag_events"),
    ("Parked", "parked"),
    ("Dead letters", "dead_letters"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let mut list = client::ask(&args.ask.data, Call::get("/api/v1/webhooks"))?;
    let items = list["items"].take();
    if args.ask.json {
        return output::json(&json!({"items": items}));
    }
    output::print(&output::rows(items.as_array().map_or(&[], Vec::as_slice), &COLUMNS).to_string())
}
