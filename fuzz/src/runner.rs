//! Runs targets: from seeds for some time, or over what failed before.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Something that reads bytes. It panics if what it finds must not be.
pub type Target = fn(&[u8]);

/// The input that a seed stands for: the same on every machine.
#[must_use]
pub fn input(seed: u64) -> Vec<u8> {
    let mut rng = SmallRng::seed_from_u64(seed);
    // Short ones ask for one change, long ones for many.
    let length = 1 << rng.random_range(3..10);
    let mut bytes = vec![0; rng.random_range(1..=length)];
    rng.fill(&mut bytes[..]);
    bytes
}

/// Runs a target from a seed on, for some time; answers how many inputs it had.
///
/// # Panics
/// As the target does; the input is in the corpus then.
pub fn run_for(name: &str, target: Target, first: u64, time: Duration) -> u64 {
    let start = Instant::now();
    let mut seed = first;
    while start.elapsed() < time {
        let input = input(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            let path = corpus(name).join(format!("{seed:016x}"));
            let kept = std::fs::create_dir_all(corpus(name)).and_then(|()| std::fs::write(&path, &input));
            eprintln!("{name}: seed {seed} fails; its input: {} ({kept:?})", path.display());
            resume_unwind(panic);
        }
        seed = seed.wrapping_add(1);
    }
    seed.wrapping_sub(first)
}

/// Runs a target over everything that failed before; answers how many there are.
///
/// # Panics
/// As the target does.
pub fn replay(name: &str, target: Target) -> usize {
    let files = std::fs::read_dir(corpus(name)).into_iter().flatten().flatten();
    files
        .map(|entry| {
            let path = entry.path();
            let input = std::fs::read(&path).expect("the corpus can be read");
            catch_unwind(AssertUnwindSafe(|| target(&input))).unwrap_or_else(|panic| {
                eprintln!("{name}: {} fails", path.display());
                resume_unwind(panic)
            });
        })
        .count()
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name)
}
