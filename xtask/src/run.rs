//! Running a command and saying what it was.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};

/// Runs `program` with `args`; its output goes where ours goes.
///
/// # Errors
/// If it cannot be started or fails.
pub fn run(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let line = format!("{program} {}", args.join(" "));
    eprintln!("==> {line}");
    let start = Instant::now();
    let status = Command::new(program).args(args).status().with_context(|| format!("cannot start {line}"))?;
    if !status.success() {
        bail!("{line}: {status}");
    }
    eprintln!("    {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What test runners said in their last lines, added up.
#[derive(Default)]
pub struct Counted {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counted {
    /// Takes in a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn line(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse::<u64>), words.next()) else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }
}

/// As [`run`], for `cargo test`, with environment variables: its many summaries are added up, since the last one says nothing of the
/// others. Tells the sum even if it fails.
///
/// # Errors
/// As [`run`].
pub fn tests(args: &[&str], env: &[(&str, &str)]) -> anyhow::Result<Counted> {
    let line = format!("cargo {}", args.join(" "));
    eprintln!("==> {line}");
    let start = Instant::now();
    let mut child = Command::new("cargo")
        .args(args)
        .envs(env.iter().copied())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {line}"))?;
    let mut counted = Counted::default();
    for text in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let text = text.context("the tests' output cannot be read")?;
        println!("{text}");
        counted.line(&text);
    }
    let status = child.wait()?;
    eprintln!("    {:.0} s", start.elapsed().as_secs_f64());
    if !status.success() {
        println!("{counted}");
        bail!("{line}: {status}");
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let mut counted = Counted::default();
        for line in [
            "running 3 tests",
            "test result: ok. 42 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 12.87s",
            "test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
        ] {
            counted.line(line);
        }
        assert_eq!(counted.to_string(), "49 passed, 2 failed, 1 skipped");
    }
}
