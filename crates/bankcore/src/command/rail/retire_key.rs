//! `bankcore rail retire-key`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call, segment};
use crate::output;

/// Retire a key of a rail: nothing that it signs is believed any more
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore rail retire-key partner 2026-11")]
pub struct RetireKeyArgs {
    /// The rail
    rail: String,
    /// The key's id
    key_id: String,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &RetireKeyArgs) -> anyhow::Result<()> {
    let path = format!("/api/v1/rails/{}/keys/{}", segment(&args.rail), segment(&args.key_id));
    client::ask(&args.ask.data, Call::delete(path))?;
    output::print(&format!("retired key {} of rail {}", args.key_id, args.rail))
}
