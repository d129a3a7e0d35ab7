//! `bankcore transfer`: moves money between two accounts.

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// Move money between two accounts
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore transfer 101 102 2000.00 BDT\n  \
    bankcore transfer 101 102 2000.00 BDT --reference INV-7 --description Rent\n  \
    bankcore transfer 101 102 2000.00 BDT --idempotency-key rent-2026-11  twice moves it once")]
pub struct TransferArgs {
    /// Account that pays
    #[arg(value_name = "FROM")]
    from: String,
    /// Account that is paid
    #[arg(value_name = "TO")]
    to: String,
    /// How much, in major units: 2000.00
    amount: String,
    /// Currency of both accounts: BDT
    currency: String,
    /// Free text for the statement
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Your business name for it, searchable
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// Day from which it counts for interest [default: the booking date]
    #[arg(long, value_name = "DATE")]
    value_date: Option<String>,
    /// The same key moves the money once, however often it is said [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 9] = [
    ("Transaction", "id"),
    ("Kind", "kind"),
    ("Status", "status"),
    ("Amount", "amount"),
    ("Currency", "currency"),
    ("Reference", "reference"),
    ("Description", "description"),
    ("Booked on", "booking_date"),
    ("Posted at", "posted_at"),
];

const ENTRIES: [Column; 5] = [
    ("Account", "account_id"),
    ("Side", "side"),
    ("Amount", "amount"),
    ("Currency", "currency"),
    ("Balance", "balance_after"),
];

/// Moves the money and prints the transaction.
///
/// # Errors
/// If it was refused or could not be asked for.
pub fn run(args: &TransferArgs) -> anyhow::Result<()> {
    let optional = [
        ("description", &args.description),
        ("reference", &args.reference),
        ("value_date", &args.value_date),
    ];
    let mut body = Map::new();
    for (name, text) in [
        ("from_account_id", &args.from),
        ("to_account_id", &args.to),
        ("amount", &args.amount),
        ("currency", &args.currency),
    ] {
        body.insert(name.to_owned(), Value::from(text.as_str()));
    }
    for (name, text) in optional {
        body.extend(text.as_ref().map(|text| (name.to_owned(), Value::from(text.as_str()))));
    }
    let call = Call::post("/api/v1/transactions/transfer", body.into());
    let transaction = client::ask(&args.ask.data, call.keyed(args.idempotency_key.as_ref()))?;
    if args.ask.json {
        return output::json(&transaction);
    }
    let entries = transaction["entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    output::print(&format!("{}{}", output::fields(&transaction, &COLUMNS), output::rows(entries, &ENTRIES)))
}
