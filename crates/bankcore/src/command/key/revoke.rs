//! `bankcore key revoke`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Revoke an API key for good; it is dead when the command returns
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore key revoke 7k2m9x4q  the 8 characters after bck_\n  \
    bankcore key revoke 019aa3f0-7c00-7abc-8def-0123456789ab")]
pub struct RevokeArgs {
    /// Its prefix or its id
    key: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &RevokeArgs) -> anyhow::Result<()> {
    // Who has only the key itself may paste it: no more than its prefix goes any further.
    let named = match args.key.strip_prefix("bck_") {
        Some(rest) => rest.get(..8).unwrap_or(rest),
        None => &args.key,
    };
    client::ask(&args.ask.data, Call::delete(format!("/api/v1/keys/{}", segment(named))))?;
    if args.ask.json {
        return output::json(&json!({"key": named, "status": "revoked"}));
    }
    output::print(&format!("{named} is revoked"))
}
