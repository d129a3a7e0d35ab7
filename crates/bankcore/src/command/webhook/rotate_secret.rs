//! `bankcore webhook rotate-secret`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Replace a webhook's secret; both sign for a while
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore webhook rotate-secret 019aa3f0-7c00-7abc-8def-0123456789ab\n  \
    bankcore webhook rotate-secret 019aa3f0-7c00-7abc-8def-0123456789ab --overlap-seconds 0  the old one is known to others"
)]
pub struct RotateArgs {
    /// Its id
    id: String,
    /// For how many seconds the old secret signs as well, 0 to 604800
    #[arg(long, default_value_t = 86_400)]
    overlap_seconds: u64,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &RotateArgs) -> anyhow::Result<()> {
    let body = json!({"overlap_seconds": args.overlap_seconds});
    let path = format!("/api/v1/webhooks/{}/secret", segment(&args.id));
    let made = client::ask(&args.ask.data, Call::post(path, body))?;
    if args.ask.json {
        return output::json(&made);
    }
    output::print(&output::fields(&made, &[("Secret", "secret")]))?;
    eprintln!("This is the only time that the secret is shown.");
    Ok(())
}
