//! `bankcore account open`.

use clap::Args;
use serde_json::{Map, Value};

use crate::cli::AskArgs;
use crate::client::{self, Call};

/// Open an account
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore account open Vault --type asset --currency BDT\n  \
    bankcore account open Alice --type liability --currency BDT --owner alice\n\n\
    A customer's account is a liability of the bank that has an owner.")]
pub struct OpenArgs {
    /// Its name
    name: String,
    /// What it is in the books
    #[arg(long = "type", value_name = "TYPE",
        value_parser = ["asset", "liability", "equity", "income", "expense"])]
    account_type: String,
    /// Its one currency: BDT
    #[arg(long)]
    currency: String,
    /// Principal that owns it [default: the bank]
    #[arg(long, value_name = "PRINCIPAL")]
    owner: Option<String>,
    /// Its number [default: made by the bank]
    #[arg(long)]
    number: Option<String>,
    /// How far below zero the available balance may be used
    #[arg(long, value_name = "AMOUNT")]
    overdraft_limit: Option<String>,
    /// Takes no entries until it is activated
    #[arg(long)]
    pending: bool,
    /// The same key opens it once [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &OpenArgs) -> anyhow::Result<()> {
    let pending = args.pending.then(|| "pending".to_owned());
    let mut body = Map::new();
    for (name, text) in [
        ("name", Some(&args.name)),
        ("type", Some(&args.account_type)),
        ("currency", Some(&args.currency)),
        ("owner", args.owner.as_ref()),
        ("number", args.number.as_ref()),
        ("overdraft_limit", args.overdraft_limit.as_ref()),
        ("status", pending.as_ref()),
    ] {
        body.extend(text.map(|text| (name.to_owned(), Value::from(text.as_str()))));
    }
    let call = Call::post("/api/v1/accounts", body.into()).keyed(args.idempotency_key.as_ref());
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
