//! The flags of the drill.

use clap::Args;

/// Play every way in which a transfer fails, and show where each unit of money is
///
/// Opens a scratch bank and a partner of it as processes of their own, breaks them on purpose, and shows for each
/// failure what broke, what the customer saw, how it ended, and an account of every unit. At the end the bank is
/// closed, verified and removed.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bankcore drill\n  bankcore drill --only crash-between --only double-spend\n  \
    bankcore drill --markdown > drill.md\n  \
    bankcore drill --url http://127.0.0.1:8400 --keys bankcore-data/demo.json\n  \
    bankcore drill --url http://127.0.0.1:8400 --keys admin.key --rail drill\n\n\
    Exit code 0 only if every scenario that was played ended balanced and as it should. Against a bank that runs \
    (--url) nothing is killed but the drill's own partner. The drill opens accounts and keys of its own there and \
    revokes the keys; what it posted stays in the books, as everything does: use a bank for trying."
)]
pub struct DrillArgs {
    /// Show the scenarios and end
    #[arg(long)]
    pub list: bool,
    /// Only this scenario; may be said several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Against a bank that runs there, instead of a scratch bank
    #[arg(long, value_name = "URL", requires = "keys")]
    pub url: Option<String>,
    /// The demo.json of that bank, or a file that holds one admin's API key
    #[arg(long, value_name = "FILE", requires = "url")]
    pub keys: Option<String>,
    /// Play the payments there too, over a rail of this name that the drill sets up, and pauses at its end
    #[arg(long, value_name = "NAME", requires = "url")]
    pub rail: Option<String>,
    /// Print Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
