//! `bankcore rail set`.

use anyhow::bail;
use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};

/// Make a rail, or change it as a whole
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bankcore rail set partner --url http://127.0.0.1:8500/rail --carries BDT:1000000.00:12:13:5\n  \
    bankcore rail set swift --url https://rail.example/bankcore --iban-required --opens 06:00 --cut-off 17:00 \
    --carries EUR:50000.00:21:22:23\n  \
    bankcore rail set sister --url https://sister.example/api/v1/rails/us/questions --two-phase \
    --carries BDT:1000000.00:12:13:5\n\n\
    --carries CURRENCY:LIMIT:CLEARING:SETTLEMENT:SUSPENSE names the largest amount and three accounts of the bank's \
    own. What is left out takes its default.")]
pub struct SetArgs {
    /// Its name
    name: String,
    /// Where its questions go
    #[arg(long)]
    url: String,
    /// Currency, limit, clearing, settlement and suspense account; may be said several times
    #[arg(long = "carries", value_name = "C:LIMIT:CLEARING:SETTLEMENT:SUSPENSE", required = true)]
    carries: Vec<String>,
    /// Take no new payments
    #[arg(long)]
    paused: bool,
    /// Beneficiaries are named by IBAN
    #[arg(long)]
    iban_required: bool,
    /// Payments are handed over from this time of day on, UTC
    #[arg(long, value_name = "HH:MM", requires = "cut_off")]
    opens: Option<String>,
    /// Payments are handed over before this time of day, UTC
    #[arg(long, value_name = "HH:MM", requires = "opens")]
    cut_off: Option<String>,
    /// A payment is expected to be settled by then [default: 86400]
    #[arg(long, value_name = "SECONDS")]
    settles_within: Option<i64>,
    /// How long an answer may take [default: 10000]
    #[arg(long, value_name = "MS")]
    timeout: Option<i64>,
    /// First interval between questions [default: 1000]
    #[arg(long, value_name = "MS")]
    enquire_after: Option<i64>,
    /// Longest interval between questions [default: 600000]
    #[arg(long, value_name = "MS")]
    enquire_at_most: Option<i64>,
    /// A case is opened after so many fruitless questions [default: 20]
    #[arg(long, value_name = "N")]
    tries_max: Option<u32>,
    /// The other side is a bankcore: payments can be committed by both banks or by neither
    #[arg(long)]
    two_phase: bool,
    /// How long the other bank has to prepare before a payment is given up [default: 30000]
    #[arg(long, value_name = "MS", requires = "two_phase")]
    prepare_within: Option<i64>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &SetArgs) -> anyhow::Result<()> {
    let currencies = args.carries.iter().map(|text| carried(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut body = Map::new();
    body.insert("url".into(), json!(args.url));
    body.insert("paused".into(), json!(args.paused));
    body.insert("iban_required".into(), json!(args.iban_required));
    body.insert("two_phase".into(), json!(args.two_phase));
    body.insert("currencies".into(), Value::from(currencies));
    for (name, value) in [
        ("opens", args.opens.as_ref().map(|text| json!(text))),
        ("cut_off", args.cut_off.as_ref().map(|text| json!(text))),
        ("settles_within_seconds", args.settles_within.map(|n| json!(n))),
        ("timeout_ms", args.timeout.map(|n| json!(n))),
        ("enquire_after_ms", args.enquire_after.map(|n| json!(n))),
        ("enquire_at_most_ms", args.enquire_at_most.map(|n| json!(n))),
        ("tries_max", args.tries_max.map(|n| json!(n))),
        ("prepare_within_ms", args.prepare_within.map(|n| json!(n))),
    ] {
        body.extend(value.map(|value| (name.to_owned(), value)));
    }
    let call = Call::put(format!("/api/v1/rails/{}", segment(&args.name)), body.into());
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}

fn carried(text: &str) -> anyhow::Result<Value> {
    let parts: Vec<&str> = text.split(':').collect();
    let [currency, limit, clearing, settlement, suspense] = parts[..] else {
        bail!("--carries {text}: say CURRENCY:LIMIT:CLEARING:SETTLEMENT:SUSPENSE");
    };
    Ok(json!({
        "currency": currency, "amount_max": limit, "clearing_account_id": clearing,
        "settlement_account_id": settlement, "suspense_account_id": suspense,
    }))
}
