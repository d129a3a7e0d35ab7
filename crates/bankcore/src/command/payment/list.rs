//! `bankcore payment list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List payments, oldest first
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore payment list\n  bankcore payment list --state unknown --older-than 3600\n  \
    bankcore payment list --held true --json"
)]
pub struct ListArgs {
    /// In this state
    #[arg(long)]
    state: Option<String>,
    /// Asked for more than so many seconds ago
    #[arg(long, value_name = "SECONDS")]
    older_than: Option<u32>,
    /// Those that wait for a person, or the others
    #[arg(long, value_name = "BOOL")]
    held: Option<bool>,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Payment", "id"),
    ("State", "state"),
    ("Held", "held"),
    ("Late", "late"),
    ("Rail", "rail"),
    ("From", "from_account_id"),
    ("Amount", "amount"),
    ("Currency", "currency"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let call = Call::get("/api/v1/payments")
        .query("state", args.state.as_ref())
        .query("older_than", args.older_than.map(|seconds| seconds.to_string()).as_ref())
        .query("held", args.held.map(|held| held.to_string()).as_ref());
    let limit = args.limit as usize;
    let (items, more) =
        client::session(&args.ask.data, async |client: &client::Client| client.list(call, limit).await)?;
    if args.ask.json {
        return output::json(&json!({"items": items, "more": more}));
    }
    output::print(&output::rows(&items, &COLUMNS).to_string())?;
    output::note_more(more);
    Ok(())
}
