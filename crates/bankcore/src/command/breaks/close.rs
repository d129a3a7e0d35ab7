//! `bankcore break close`.

use clap::Args;
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Say what became of a balance that its entries did not explain
#[derive(Args)]
#[command(
    after_help = "Example:\n  bankcore break close 3 --reason 'Put right from the backup of Monday; case 17'\n\n\
    Changes no balance. A frozen account is unfrozen by `bankcore account unfreeze`; a row that is still wrong is \
    found again when it is next used."
)]
pub struct CloseArgs {
    /// Its number
    id: u64,
    /// What became of it; kept with the finding and in the audit trail
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CloseArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/balance-breaks/{}/close", segment(&args.id.to_string()));
    let answer = client::ask(&args.ask.data, Call::post(path, json!({"reason": args.reason})))?;
    if args.ask.json {
        return output::json(&answer);
    }
    output::print(&format!("balance break {} is closed", args.id))
}
