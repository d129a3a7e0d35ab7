//! `bankcore case list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List cases, oldest first
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore case list\n  bankcore case list --status resolved --json")]
pub struct ListArgs {
    /// Which
    #[arg(long, default_value = "open", value_parser = ["open", "resolved", "all"])]
    status: String,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Case", "id"),
    ("Kind", "kind"),
    ("Status", "status"),
    ("Payment", "payment_id"),
    ("Rail", "rail"),
    ("At risk", "money_at_risk"),
    ("Currency", "currency"),
    ("Age, s", "age_seconds"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let status = (args.status != "all").then(|| args.status.clone());
    let call = Call::get("/api/v1/cases").query("status", status.as_ref());
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
