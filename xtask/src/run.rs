//! Running a command and saying what it was.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, bail};

/// Runs `program` with `args`; its output goes where ours goes.
///
/// # Errors
/// If it cannot be started or fails.
pub fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    run_with(program, args, &[])
}

/// As [`run`], with environment variables.
///
/// # Errors
/// As [`run`].
pub fn run_with(program: &str, args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<()> {
    let line = format!("{program} {}", args.join(" "));
    eprintln!("==> {line}");
    let start = Instant::now();
    let status = Command::new(program)
        .args(args)
        .envs(env.iter().copied())
        .status()
        .with_context(|| format!("cannot start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    eprintln!("    {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
