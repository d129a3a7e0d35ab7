//! `bankcore day open`.

use bank::sequencer::{Clock as _, SystemClock};
use clap::Args;
use ledger::Date;
use serde_json::json;

use super::PATH;
use crate::cli::AskArgs;
use crate::client::{self, Call};

/// Open a business day, later than all before
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore day open\n  bankcore day open 2026-11-23\n\n\
    With business_day = calendar the days follow the date (UTC) by themselves.")]
pub struct OpenArgs {
    /// The day [default: today, UTC]
    date: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &OpenArgs) -> anyhow::Result<()> {
    let today = || Date::of_micros(SystemClock::new().wall()).to_string();
    let date = args.date.clone().unwrap_or_else(today);
    let call = Call::post(format!("{PATH}/open"), json!({"date": date}));
    super::print(&client::ask(&args.ask.data, call)?, args.ask.json)
}
