//! What can be asked on the command line.

use clap::{Args, Parser, Subcommand};

use crate::command::{
    account, bench, breaks, case, clock, completions, config as config_command, day, db, drill, in_doubt,
    inspect, key, migrate, outbox, partner, payment, rail, serve, transfer, verify, webhook,
};
use crate::config::{Config, ConfigError, ServeArgs};

/// A banking core in one binary
#[derive(Parser)]
#[command(
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "Start here:\n  \
        bankcore serve --demo                 a demonstration bank, with keys and a request to try\n  \
        bankcore serve --data bank            a bank of your own in the folder bank\n  \
        bankcore drill                        every way in which a transfer fails, played on a scratch bank\n  \
        bankcore verify --data bank           prove that nothing in it was changed or lost\n\n\
        Every command explains itself with --help. Data folder: --data DIR, BANKCORE_DATA, or bankcore-data."
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
#[allow(missing_docs, reason = "each command's own arguments carry the text that --help shows")]
#[allow(clippy::large_enum_variant, reason = "one of it lives for the whole process")]
pub enum Command {
    Serve(serve::ServeCommand),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Account(account::Account),
    Transfer(transfer::TransferArgs),
    #[command(subcommand)]
    Payment(payment::Payment),
    #[command(subcommand)]
    Case(case::Case),
    #[command(subcommand)]
    Rail(rail::Rail),
    #[command(subcommand)]
    InDoubt(in_doubt::InDoubt),
    Partner(partner::PartnerArgs),
    Drill(drill::DrillArgs),
    #[command(subcommand)]
    Day(day::Day),
    #[command(subcommand)]
    Clock(clock::Clock),
    #[command(subcommand)]
    Break(breaks::Break),
    #[command(subcommand)]
    Webhook(webhook::Webhook),
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    Verify(verify::VerifyArgs),
    Migrate(migrate::MigrateArgs),
    #[command(subcommand)]
    Db(db::Db),
    #[command(subcommand)]
    Inspect(inspect::Inspect),
    Config(config_command::ConfigArgs),
    Bench(bench::BenchArgs),
    Completions(completions::CompletionsArgs),
}

/// Which data folder.
#[derive(Args, Clone, Default, Debug)]
pub struct DataArgs {
    /// Data folder [default: BANKCORE_DATA, the settings file, or bankcore-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,

    /// Books in MySQL or MariaDB [default: BANKCORE_STORE, the settings file, or the data folder]
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,

    /// Settings file [default: bankcore.toml in the data folder, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
}

impl DataArgs {
    /// The settings that hold for this folder.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let args = ServeArgs {
            data: self.data.clone(),
            store: self.store.clone(),
            config: self.config.clone(),
            ..ServeArgs::default()
        };
        Config::load(&args)
    }
}

/// Which bank, and how the answer is printed.
#[derive(Args, Clone, Default, Debug)]
pub struct AskArgs {
    /// Which data folder.
    #[command(flatten)]
    pub data: DataArgs,

    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_how() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing about itself");
            if command.get_subcommands().next().is_none() {
                assert!(command.get_after_help().is_some(), "{path} has no examples");
            }
            command.get_subcommands().for_each(|inner| look(inner, &path));
        }
        Cli::command().get_subcommands().for_each(|command| look(command, "bankcore"));
    }

    /// The examples are what people copy first.
    #[test]
    fn every_example_is_understood() {
        fn examples(command: &clap::Command, found: &mut Vec<String>) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = text.lines().map(|line| line.trim().trim_start_matches("$ "));
            found.extend(lines.filter(|line| line.starts_with("bankcore ")).map(str::to_owned));
            command.get_subcommands().for_each(|inner| examples(inner, found));
        }
        let mut found = Vec::new();
        examples(&Cli::command(), &mut found);
        assert!(found.len() > 20, "{found:?}");
        for example in found {
            // What follows two spaces or a redirection explains the example.
            let line = example.split("  ").next().unwrap_or_default();
            let line = line.split([';', '>', '|']).next().unwrap_or_default();
            let words = line.split('\'').enumerate().flat_map(|(index, part)| match index % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            });
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{example}: {error}");
            }
        }
    }
}
