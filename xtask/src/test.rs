//! `cargo xtask test`: everything that must hold.

use clap::Args;

use crate::{check, needs, run};

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Only the tests, without formatting, lints and dependency checks
    #[arg(long)]
    tests_only: bool,
    /// Build as it is shipped too, and kill that binary (eight minutes more on two cores)
    #[arg(long)]
    shipped: bool,
    /// Seeds of the simulator
    #[arg(long, default_value_t = 2_000)]
    seeds: u32,
}

/// What is missing is installed, then checks; the test runner last, so that the sum of its summaries closes the output.
/// One profile for all of it, or every dependency would be built once more.
///
/// # Errors
/// At the first thing that does not hold.
pub fn run(options: &Options) -> anyhow::Result<()> {
    needs::install()?;
    if !options.tests_only {
        check::run()?;
    }
    let seeds = options.seeds.to_string();
    let mut env = vec![("SIM_SEEDS", &*seeds), ("INSTA_UPDATE", "no")];
    let shipped = std::env::current_dir()?.join("target/release/bankcore");
    let shipped = shipped.to_string_lossy();
    if options.shipped {
        run::run("cargo", &["build", "--release", "--package", "bankcore"])?;
        env.push(("BANKCORE_BINARY", &shipped));
    }
    let counted = run::tests(&["test", "--workspace", "--no-fail-fast"], &env)?;
    println!("{counted}");
    Ok(())
}
