//! `bankcore webhook test`.

use clap::Args;
use serde_json::Value;

use super::ATTEMPTS;
use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Send a message that says nothing, and tell what came of it
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore webhook test 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct TestArgs {
    /// Its id
    id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/webhooks/{}/test", segment(&args.id));
    let tried = client::ask(&args.ask.data, Call::post(path, Value::Null))?;
    if args.ask.json {
        return output::json(&tried);
    }
    output::print(&output::fields(&tried, &ATTEMPTS))
}
