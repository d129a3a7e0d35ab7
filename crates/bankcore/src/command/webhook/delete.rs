//! `bankcore webhook delete`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Delete a webhook for good, with its dead letters and its log
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook delete 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct DeleteArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &DeleteArgs) -> anyhow::Result<()> {
    client::ask(&args.ask.data, Call::delete(format!("/api/v1/webhooks/{}", segment(&args.id))))?;
    if args.ask.json {
        return output::json(&json!({"id": args.id, "status": "deleted"}));
    }
    output::print(&format!("{} is deleted", args.id))
}
