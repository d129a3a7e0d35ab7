//! `bankcore account balance`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output::{self, Column};

/// Show what is on an account, now, at a moment in the past, or by value date
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore account balance 101\n  \
    bankcore account balance 101 --date 2026-11-30\n  \
    bankcore account balance 101 --value-date 2026-11-30\n\n\
    --value-date counts all entries with this value date or an earlier one, whenever they were booked:\n\
    what interest is computed from.")]
pub struct BalanceArgs {
    /// The account
    id: String,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    ask: AskArgs,
}

#[derive(Args)]
#[group(multiple = false)]
struct When {
    /// By this value date
    #[arg(long, value_name = "DATE")]
    value_date: Option<String>,
    /// At the end of this booking date
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// After the last event of this moment (RFC 3339)
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// After this event
    #[arg(long, value_name = "SEQUENCE")]
    sequence: Option<String>,
}

const COLUMNS: [Column; 10] = [
    ("Account", "account_id"),
    ("Currency", "currency"),
    ("Value date", "value_date"),
    ("Balance", "ledger_balance"),
    ("Available", "available_balance"),
    ("Held", "held"),
    ("Version", "version"),
    ("Last event", "last_event"),
    ("At", "last_event_at"),
    ("Booked on", "last_booking_date"),
];

pub(super) fn run(args: &BalanceArgs) -> anyhow::Result<()> {
    let When { value_date, date, time, sequence } = &args.when;
    let call = Call::get(format!("/api/v1/accounts/{}/balance", segment(&args.id)))
        .query("value_date", value_date.as_ref())
        .query("as_of_date", date.as_ref())
        .query("as_of_time", time.as_ref())
        .query("as_of_sequence", sequence.as_ref());
    let balance = client::ask(&args.ask.data, call)?;
    if args.ask.json { output::json(&balance) } else { output::print(&output::fields(&balance, &COLUMNS)) }
}
