//! `bankcore payment create`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::AskArgs;
use crate::client::{self, Call};

/// Pay somebody at another institution
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bankcore payment create partner 101 2000.00 BDT --to GB33BUKB20201555555555 --name 'Dora Demir'\n  \
    bankcore payment create partner 101 5.00 BDT --to 7001 --name Dora --reference INV-7 --idempotency-key inv-7\n  \
    bankcore payment create sister 101 5.00 BDT --to BC0000000010 --name Dora --mode two_phase")]
pub struct CreateArgs {
    /// Over which rail
    rail: String,
    /// Account that pays
    #[arg(value_name = "FROM")]
    from: String,
    /// How much, in major units: 2000.00
    amount: String,
    /// Currency of the account: BDT
    currency: String,
    /// The beneficiary's account there: an IBAN, or what the rail knows
    #[arg(long, value_name = "ACCOUNT")]
    to: String,
    /// The beneficiary's name
    #[arg(long)]
    name: String,
    /// saga, or two_phase over a rail to another bankcore: both banks commit it, or neither [default: saga]
    #[arg(long, value_parser = ["saga", "two_phase"])]
    mode: Option<String>,
    /// Free text for the statements
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Your business name for it
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// The same key pays once, however often it is said [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CreateArgs) -> anyhow::Result<()> {
    let mut body = json!({
        "rail": args.rail, "from_account_id": args.from, "amount": args.amount, "currency": args.currency,
        "beneficiary": {"name": args.name, "account": args.to},
    });
    let texts = [("description", &args.description), ("reference", &args.reference), ("mode", &args.mode)];
    for (name, text) in texts {
        if let Some(text) = text {
            body[name] = Value::from(text.as_str());
        }
    }
    let call = Call::post("/api/v1/payments", body).keyed(args.idempotency_key.as_ref());
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
