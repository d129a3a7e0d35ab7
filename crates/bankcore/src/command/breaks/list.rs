//! `bankcore break list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List balances that their entries did not explain, oldest first
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore break list\n  bankcore break list --state open --json\n\n\
    Found by services, by the stored procedures, and by sp_rebuild_balance. Nothing was overwritten, and a customer's \
    account is frozen. Books in a journal have no such findings.")]
pub struct ListArgs {
    /// Open or closed ones only
    #[arg(long, value_parser = ["open", "closed"])]
    state: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 9] = [
    ("Break", "id"),
    ("Account", "account_id"),
    ("Balance", "cached_balance"),
    ("Entries", "entries_balance"),
    ("Currency", "currency"),
    ("Found", "found_at"),
    ("By", "found_by"),
    ("State", "state"),
    ("Reason", "reason"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let limit = args.limit as usize;
    let (items, more) = client::session(&args.ask.data, async |client: &client::Client| {
        client.list(Call::get("/api/v1/balance-breaks").query("state", args.state.as_ref()), limit).await
    })?;
    if args.ask.json {
        return output::json(&json!({"items": items, "more": more}));
    }
    output::print(&output::rows(&items, &COLUMNS).to_string())?;
    output::note_more(more);
    Ok(())
}
