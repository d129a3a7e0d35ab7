//! `bankcore config`: every setting, its value and where it comes from.

use clap::Args;

use crate::config::{Config, ServeArgs};
use crate::output;

/// Show every setting, its value and where it comes from
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore config\n  bankcore config --data bank --listen 127.0.0.1:9000")]
pub struct ConfigArgs {
    #[command(flatten)]
    settings: ServeArgs,
}

/// Prints the settings.
///
/// # Errors
/// If they do not fit.
pub fn run(args: &ConfigArgs) -> anyhow::Result<()> {
    output::print(&Config::load(&args.settings)?.render())
}
