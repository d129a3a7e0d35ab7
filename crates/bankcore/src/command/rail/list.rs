//! `bankcore rail list`.

use clap::Args;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output;

/// List rails
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore rail list\n  bankcore rail list --json")]
pub struct ListArgs {
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let rails = client::ask(&args.ask.data, Call::get("/api/v1/rails"))?;
    if args.ask.json {
        return output::json(&rails);
    }
    let items = rails["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    output::print(&output::rows(items, &super::COLUMNS).to_string())
}
