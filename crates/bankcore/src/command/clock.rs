//! `bankcore clock`: the clock that stamps every event.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::AskArgs;
use crate::client::{self, Call};
use crate::output;

/// Confirm the clock after it jumped
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Clock {
    Confirm(ConfirmArgs),
}

/// Say that the clock is right although it jumped ahead; writing goes on
#[derive(Args)]
#[command(
    after_help = "Examples:\n  date -u; bankcore clock confirm\n  bankcore clock confirm --data bank\n\n\
    A clock that runs ahead by more than clock_jump_seconds stops all writes: a wrong date would expire holds and \
    stay in the books for ever. Look at the clock first."
)]
pub struct ConfirmArgs {
    #[command(flatten)]
    ask: AskArgs,
}

/// Runs one of them.
///
/// # Errors
/// If the bank could not be asked.
pub fn run(clock: &Clock) -> anyhow::Result<()> {
    let Clock::Confirm(args) = clock;
    client::ask(&args.ask.data, Call::post("/api/v1/clock/confirm", json!({})))?;
    if args.ask.json {
        return output::json(&json!({"clock": "confirmed"}));
    }
    output::print("the clock is confirmed; writing goes on")
}
