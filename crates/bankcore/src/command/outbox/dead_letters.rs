//! `bankcore outbox dead-letters`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output::{self, Column};

/// List events that a subscriber would not take and that were given up
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore outbox dead-letters 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct DeadLettersArgs {
    /// The subscription's id
    id: String,
    /// How many at most
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 4] =
    [("Event", "sequence"), ("Attempts", "attempts"), ("Given up at", "given_up_at"), ("Why", "why")];

pub(super) fn run(args: &DeadLettersArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/outbox/{}/dead-letters", segment(&args.id)));
    let (items, more) = client::session(&args.ask.data, async |client: &client::Client| {
        client.list(call.clone(), args.limit as usize).await
    })?;
    if args.ask.json {
        return output::json(&json!({"items": items, "more": more}));
    }
    output::print(&output::rows(&items, &COLUMNS).to_string())?;
    output::note_more(more);
    Ok(())
}
