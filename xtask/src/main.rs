//! Developers' tasks: `cargo xtask <task>`.
//!
//! `test` is the one command that must pass before anything lands; `.ci/run` calls it.

mod check;
mod needs;
mod run;
mod test;
mod test_mysql;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developers' tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Tasks {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything: formatting, lints, dependencies, all tests, the simulator, the kill test
    Test(test::Options),
    /// The books in a database against a real MySQL, which is fetched from Debian's sid once; as root
    TestMysql,
    /// Formatting, lints, crate boundaries, banned crates, licences
    Check,
}

fn main() -> ExitCode {
    let result = match Tasks::parse().task {
        Task::Test(options) => test::run(&options),
        Task::TestMysql => test_mysql::run(),
        Task::Check => check::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
