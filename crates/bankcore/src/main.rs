//! bankcore: a banking core in one binary.
//!
//! ```text
//!  main ─► cli (what was asked) ─► command/<name> (one file a command)
//!                                     ├─ serve    ─► folder ─► bank::service ─► bank::http::listen
//!                                     ├─ key, account, transfer, payment, webhook, … ─► client ─► the same HTTP interface
//!                                     ├─ verify, inspect ─► bank::verify, read-only
//!                                     ├─ migrate  ─► bank::moving
//!                                     ├─ partner  ─► a second institution, for trying and testing
//!                                     └─ drill    ─► serve and partner as processes, broken on purpose
//! ```
//! Commands on a bank have one code path: an HTTP request. With a server running it goes through the socket
//! in the data folder, without one to the same router in this process.

mod cli;
mod client;
mod closing;
mod command;
mod config;
mod demo;
mod folder;
mod logging;
mod output;
mod settings;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", output::one_line(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => command::serve::run(&args)?,
        Command::Key(key) => command::key::run(&key)?,
        Command::Account(account) => command::account::run(&account)?,
        Command::Transfer(args) => command::transfer::run(&args)?,
        Command::Payment(payment) => command::payment::run(&payment)?,
        Command::Case(case) => command::case::run(&case)?,
        Command::InDoubt(in_doubt) => command::in_doubt::run(&in_doubt)?,
        Command::Rail(rail) => command::rail::run(&rail)?,
        Command::Partner(args) => command::partner::run(&args)?,
        Command::Day(day) => command::day::run(&day)?,
        Command::Clock(clock) => command::clock::run(&clock)?,
        Command::Break(breaks) => command::breaks::run(&breaks)?,
        Command::Webhook(webhook) => command::webhook::run(&webhook)?,
        Command::Outbox(outbox) => command::outbox::run(&outbox)?,
        Command::Drill(args) => return command::drill::run(&args),
        Command::Verify(args) => return command::verify::run(&args),
        Command::Migrate(args) => return command::migrate::run(&args),
        Command::Db(db) => command::db::run(&db)?,
        Command::Inspect(inspect) => command::inspect::run(&inspect)?,
        Command::Config(args) => command::config::run(&args)?,
        Command::Bench(args) => command::bench::run(&args)?,
        Command::Completions(args) => command::completions::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
