//! `bankcore webhook show`.

use clap::Args;

use super::FIELDS;
use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Show a webhook and how it does
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook show 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct ShowArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ShowArgs) -> anyhow::Result<()> {
    let webhook = client::ask(&args.ask.data, Call::get(format!("/api/v1/webhooks/{}", segment(&args.id))))?;
    if args.ask.json {
        return output::json(&webhook);
    }
    output::print(&output::fields(&webhook, &FIELDS))
}
