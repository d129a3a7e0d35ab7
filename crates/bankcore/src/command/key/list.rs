//! `bankcore key list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List API keys, oldest first, without their secrets
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore key list\n  bankcore key list --json")]
pub struct ListArgs {
    /// How many at most
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Prefix", "prefix"),
    ("Name", "name"),
    ("Principal", "principal"),
    ("Role", "role"),
    ("Status", "status"),
    ("Accounts", "accounts"),
    ("Drawer", "drawer_account_id"),
    ("Last used", "last_used_at"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let limit = args.limit as usize;
    let (items, more) = client::session(&args.ask.data, async |client: &client::Client| {
        client.list(Call::get("/api/v1/keys"), limit).await
    })?;
    if args.ask.json {
        return output::json(&json!({"items": items, "more": more}));
    }
    output::print(&output::rows(&items, &COLUMNS).to_string())?;
    output::note_more(more);
    Ok(())
}
