//! `bankcore account list`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// List accounts
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore account list\n  bankcore account list --owner alice --status active\n  \
    bankcore account list --type liability --limit 1000 --json"
)]
pub struct ListArgs {
    /// Of this principal
    #[arg(long, value_name = "PRINCIPAL")]
    owner: Option<String>,
    /// Of this type
    #[arg(long = "type", value_name = "TYPE",
        value_parser = ["asset", "liability", "equity", "income", "expense"])]
    account_type: Option<String>,
    /// With this status
    #[arg(long, value_parser = ["pending", "active", "frozen", "closed"])]
    status: Option<String>,
    /// In this currency
    #[arg(long)]
    currency: Option<String>,
    /// With this number
    #[arg(long)]
    number: Option<String>,
    /// How many at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 8] = [
    ("Account", "id"),
    ("Name", "name"),
    ("Type", "type"),
    ("Owner", "owner"),
    ("Status", "status"),
    ("Balance", "ledger_balance"),
    ("Available", "available_balance"),
    ("Currency", "currency"),
];

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let call = Call::get("/api/v1/accounts")
        .query("owner", args.owner.as_ref())
        .query("type", args.account_type.as_ref())
        .query("status", args.status.as_ref())
        .query("currency", args.currency.as_ref())
        .query("number", args.number.as_ref());
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
