//! `cargo run --release -p fuzz -- TARGET SECONDS [SEED]`: one target for some time.

use std::time::Duration;

use anyhow::{Context, bail};
use fuzz::{runner, targets};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = targets::TARGETS.iter().map(|(name, _)| *name).collect();
    let (name, seconds) = match &words[..] {
        [name, seconds] | [name, seconds, _] => (name, seconds.parse().context("seconds are a number")?),
        _ => bail!("TARGET SECONDS [SEED], where TARGET is one of {}", names.join(", ")),
    };
    let found = targets::TARGETS.iter().find(|(known, _)| known == name);
    let (name, target) = found.with_context(|| format!("targets are {}", names.join(", ")))?;
    let seed = match words.get(2) {
        Some(seed) => seed.parse().context("a seed is a number")?,
        None => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
            u64::from_be_bytes(bytes)
        }
    };
    println!("{name}: {seconds} s from seed {seed}, {} kept inputs first", runner::replay(name, *target));
    let inputs = runner::run_for(name, *target, seed, Duration::from_secs(seconds));
    println!("{name}: {inputs} inputs, all held");
    Ok(())
}
