//! `bankcore outbox`: how far events are delivered, and what was not taken.

mod dead_letters;
mod list;
mod replay;

use clap::Subcommand;

/// See how far events are delivered, and send some again
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Outbox {
    List(list::ListArgs),
    DeadLetters(dead_letters::DeadLettersArgs),
    Replay(replay::ReplayArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(outbox: &Outbox) -> anyhow::Result<()> {
    match outbox {
        Outbox::List(args) => list::run(args),
        Outbox::DeadLetters(args) => dead_letters::run(args),
        Outbox::Replay(args) => replay::run(args),
    }
}
