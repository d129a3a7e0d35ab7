//! `bankcore webhook change`, `enable` and `disable`: one request with different fields.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use super::FIELDS;
use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Change a webhook's name, address or filter; it holds when the command returns
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    bankcore webhook change 019aa3f0-7c00-7abc-8def-0123456789ab --url https://hooks.example.com/new\n  \
    bankcore webhook change 019aa3f0-7c00-7abc-8def-0123456789ab --kind posted --kind refused")]
pub struct ChangeArgs {
    /// Its id
    id: String,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// Where events are sent to
    #[arg(long)]
    url: Option<String>,
    /// Kind of event that is wanted; replaces the whole filter, with --only-account
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Account whose events are wanted; replaces the whole filter, with --kind
    #[arg(long = "only-account", value_name = "ID")]
    only: Vec<String>,
    /// Template for a kind of event; replaces all templates; may be said several times
    #[arg(long = "template", value_name = "KIND=TEXT", value_parser = super::template)]
    templates: Vec<(String, String)>,
    /// No templates any more
    #[arg(long, conflicts_with = "templates")]
    no_templates: bool,
    /// Everything is wanted that may be seen
    #[arg(long, conflicts_with_all = ["kinds", "only"])]
    no_filter: bool,
    #[command(flatten)]
    ask: AskArgs,
}

/// Send events to a webhook again, from where it stopped
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook enable 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct EnableArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

/// Send a webhook nothing more until it is enabled again; nothing is lost meanwhile
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook disable 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct DisableArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ChangeArgs) -> anyhow::Result<()> {
    let mut body = json!({});
    for (name, value) in [("name", &args.name), ("url", &args.url)] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    if args.no_filter || !args.kinds.is_empty() || !args.only.is_empty() {
        body["filter"] = json!({"kinds": args.kinds, "accounts": args.only});
    }
    if args.no_templates || !args.templates.is_empty() {
        body["templates"] = json!(args.templates.iter().cloned().collect::<BTreeMap<_, _>>());
    }
    change(&args.id, body, &args.ask)
}

pub(super) fn enable(args: &EnableArgs) -> anyhow::Result<()> {
    change(&args.id, json!({"enabled": true}), &args.ask)
}

pub(super) fn disable(args: &DisableArgs) -> anyhow::Result<()> {
    change(&args.id, json!({"enabled": false}), &args.ask)
}

fn change(id: &str, body: Value, ask: &AskArgs) -> anyhow::Result<()> {
    let changed = client::ask(&ask.data, Call::patch(format!("/api/v1/webhooks/{}", segment(id)), body))?;
    if ask.json {
        return output::json(&changed);
    }
    output::print(&output::fields(&changed, &FIELDS))
}
