//! `bankcore day close`.

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::PATH;
use crate::cli::AskArgs;
use crate::client::{self, Call, Client};

/// Close the open business day; until the next one is opened, nothing is posted
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore day close\n  bankcore day close 2026-11-22")]
pub struct CloseArgs {
    /// The day [default: the open one]
    date: Option<String>,
    #[command(flatten)]
    ask: AskArgs,
}

pub(super) fn run(args: &CloseArgs) -> anyhow::Result<()> {
    let day = client::session(&args.ask.data, async |client: &Client| {
        let date = match &args.date {
            Some(date) => date.clone(),
            None => open_day(&client.send(Call::get(PATH)).await?)?,
        };
        client.send(Call::post(format!("{PATH}/close"), json!({"date": date}))).await
    })?;
    super::print(&day, args.ask.json)
}

fn open_day(day: &Value) -> anyhow::Result<String> {
    day["open"].as_str().map(str::to_owned).context("no business day is open; there is nothing to close")
}
