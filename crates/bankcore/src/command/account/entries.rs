//! `bankcore account entries`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output::{self, Column};

/// Show the entries of an account, newest first
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore account entries 101\n  bankcore account entries 101 --late\n  \
    bankcore account entries 101 --limit 1000 --json"
)]
pub struct EntriesArgs {
    /// The account
    id: String,
    /// Only those whose value date is not their booking date
    #[arg(long)]
    late: bool,
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 9] = [
    ("Booked on", "booking_date"),
    ("Value date", "value_date"),
    ("Transaction", "transaction_id"),
    ("Kind", "kind"),
    ("Side", "side"),
    ("Amount", "amount"),
    ("Balance", "balance_after"),
    ("Reference", "reference"),
    ("Description", "description"),
];

pub(super) fn run(args: &EntriesArgs) -> anyhow::Result<()> {
    let call = Call::get(format!("/api/v1/accounts/{}/entries", segment(&args.id)));
    let call = call.query("late", args.late.then(|| "true".to_owned()).as_ref());
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
