//! `bankcore in-doubt list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List promises to other banks, oldest first
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore in-doubt list\n  bankcore in-doubt list --state all --json")]
pub struct ListArgs {
    /// Which; those that are prepared wait for the other bank's decision
    #[arg(long, default_value = "prepared", value_parser =
        ["preparing", "prepared", "refused", "committing", "committed", "aborting", "aborted", "all"])]
    state: String,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Promise", "id"),
    ("State", "state"),
    ("Rail", "rail"),
    ("Amount", "amount"),
    ("Currency", "currency"),
    ("Account", "account_id"),
    ("Age, s", "age_seconds"),
    ("Overdue", "overdue"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let call = Call::get("/api/v1/in-doubt").query("state", Some(&args.state));
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
