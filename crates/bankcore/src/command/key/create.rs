//! `bankcore key create`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output::{self, Column};

/// Make an API key; it is printed once and kept nowhere
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore key create --role admin --principal admin\n  \
    bankcore key create --role customer --principal alice --account 101 --account 102\n  \
    bankcore key create --role banker --principal teller-1 --drawer 3 --name 'Branch 1, window 3'\n  \
    bankcore key create --role auditor --principal audit --expires-at 2027-01-01T00:00:00Z")]
pub struct CreateArgs {
    /// What its holder may do
    #[arg(long, value_parser = ["admin", "banker", "operations", "auditor", "customer"])]
    role: String,
    /// Whose intent its requests are; several keys may act for one principal
    #[arg(long)]
    principal: String,
    /// What people call it [default: the principal]
    #[arg(long)]
    name: Option<String>,
    /// Account that a customer may see and pay from; may be said several times
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Cash account of a banker
    #[arg(long, value_name = "ID")]
    drawer: Option<String>,
    /// From when on it is dead (RFC 3339) [default: never]
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

const COLUMNS: [Column; 7] = [
    ("Id", "id"),
    ("Prefix", "prefix"),
    ("Name", "name"),
    ("Principal", "principal"),
    ("Role", "role"),
    ("Expires at", "expires_at"),
    ("Key", "key"),
];

pub(super) fn run(args: &CreateArgs) -> anyhow::Result<()> {
    let mut body = json!({
        "name": args.name.as_ref().unwrap_or(&args.principal),
        "principal": args.principal,
        "role": args.role,
    });
    if !args.accounts.is_empty() {
        body["accounts"] = json!(args.accounts);
    }
    if let Some(drawer) = &args.drawer {
        body["drawer_account_id"] = json!(drawer);
    }
    if let Some(time) = &args.expires_at {
        body["expires_at"] = json!(time);
    }
    let made = client::ask(&args.ask.data, Call::post("/api/v1/keys", body))?;
    if args.ask.json {
        return output::json(&made);
    }
    output::print(&output::fields(&made, &COLUMNS))?;
    eprintln!("This is the only time that the key is shown. It is sent as Authorization: Bearer <key>.");
    Ok(())
}
