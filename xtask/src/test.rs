//! `cargo xtask test`: everything that must hold.

use clap::Args;

use crate::{check, needs, run};

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Only the tests, without formatting, lints and dependency checks
    #[arg(long)]
    tests_only: bool,
    /// Seeds of the simulator
    #[arg(long, default_value_t = 2_000)]
    seeds: u32,
}

/// What is missing is installed, then checks, since they are quick; then the simulator; the test runner last, so that the sum of its
/// summaries closes the output.
///
/// # Errors
/// At the first thing that does not hold.
pub fn run(options: &Options) -> anyhow::Result<()> {
    needs::install()?;
    if !options.tests_only {
        check::run()?;
    }
    // The kill test and the command line's tests drive the real binary, as it is shipped.
    run::run("cargo", &["build", "--release", "--package", "bankcore", "--package", "sim"])?;
    let seeds = options.seeds.to_string();
    run::run("cargo", &["run", "--release", "--quiet", "--package", "sim", "--", "--seeds", &seeds])?;
    let binary = std::env::current_dir()?.join("target/release/bankcore");
    let binary = binary.to_string_lossy();
    let env = [("BANKCORE_BINARY", &*binary), ("INSTA_UPDATE", "no")];
    let counted = run::tests(&["test", "--workspace", "--no-fail-fast"], &env)?;
    println!("{counted}");
    Ok(())
}
