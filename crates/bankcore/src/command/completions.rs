//! `bankcore completions`: what a shell needs to complete this command line.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::output;

/// Print the completions for a shell
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore completions bash > /etc/bash_completion.d/bankcore\n  \
    bankcore completions fish > ~/.config/fish/completions/bankcore.fish")]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// If stdout cannot be written.
pub fn run(args: &CompletionsArgs) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "bankcore", &mut script);
    output::print(&String::from_utf8(script)?)
}
