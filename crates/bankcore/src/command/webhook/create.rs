//! `bankcore webhook create`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::FIELDS;
use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output;

/// Register an endpoint; its secret is printed once and shown never again
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore webhook create --name notifications --url https://hooks.example.com/bank\n  \
    bankcore webhook create --name alice --url https://alice.example.com/in --role customer --principal alice --account 101\n  \
    bankcore webhook create --name warehouse --url https://dw.example.com/in --kind posted --after 0\n  \
    bankcore webhook create --name sms --url https://sms.example.com/in \
    --template 'posted={{ amount }} {{ currency }}, account {{ account }}'"
)]
pub struct CreateArgs {
    /// What people call it
    #[arg(long)]
    name: String,
    /// Where events are sent to
    #[arg(long)]
    url: String,
    /// As which role its principal sees the events [default: admin]
    #[arg(long, value_parser = ["admin", "banker", "operations", "auditor", "customer"])]
    role: Option<String>,
    /// Whose it is [default: local]
    #[arg(long)]
    principal: Option<String>,
    /// Account that a customer may see; may be said several times
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Kind of event that is wanted; may be said several times [default: all]
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Account whose events are wanted; may be said several times [default: all that may be seen]
    #[arg(long = "only-account", value_name = "ID")]
    only: Vec<String>,
    /// What the text of a notification is made from, by kind of event; may be said several times
    #[arg(long = "template", value_name = "KIND=TEXT", value_parser = super::template)]
    templates: Vec<(String, String)>,
    /// Events after this sequence; 0 is the first one [default: from now on]
    #[arg(long, value_name = "SEQUENCE")]
    after: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CreateArgs) -> anyhow::Result<()> {
    let mut body = json!({
        "name": args.name, "url": args.url, "accounts": args.accounts,
        "filter": {"kinds": args.kinds, "accounts": args.only},
        "templates": args.templates.iter().cloned().collect::<BTreeMap<_, _>>(),
    });
    for (name, value) in [("role", &args.role), ("principal", &args.principal), ("after", &args.after)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    let made = client::ask(&args.ask.data, Call::post("/api/v1/webhooks", body))?;
    if args.ask.json {
        return output::json(&made);
    }
    output::print(&output::fields(&made, &FIELDS))?;
    eprintln!("This is the only time that the secret is shown. The receiver checks signatures with it.");
    Ok(())
}
