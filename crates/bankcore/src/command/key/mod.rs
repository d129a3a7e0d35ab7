//! `bankcore key`: make, revoke and list API keys.

mod create;
mod list;
mod revoke;

use clap::Subcommand;

/// Make, revoke and list API keys
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
pub enum Key {
    Create(create::CreateArgs),
    Revoke(revoke::RevokeArgs),
    List(list::ListArgs),
}

/// Runs one of them.
///
/// # Errors
/// Those of the command.
pub fn run(key: &Key) -> anyhow::Result<()> {
    match key {
        Key::Create(args) => create::run(args),
        Key::Revoke(args) => revoke::run(args),
        Key::List(args) => list::run(args),
    }
}
