//! A bounded number of seeds with every build; `SIM_SEEDS` and `SIM_FROM` ask for more. A seed that finds something is
//! named in the failure, and runs alone with `cargo run --release -p sim -- --seeds 1 --from SEED --verbose`.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_seen_is_taken_back() {
    let from = from_environment("SIM_FROM", 0);
    let end = from + from_environment("SIM_SEEDS", 200);
    let next = AtomicU64::new(from);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return None;
            }
            if catch_unwind(|| sim::simulation::run(seed, false)).is_err() {
                return Some(seed);
            }
        }
    };
    let found = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().expect("caught")).min()
    });
    assert_eq!(found, None, "this seed found something");
}

#[test]
fn a_seed_replays_byte_for_byte() {
    for seed in [1, 7, 23, 1_000_003] {
        let first = sim::simulation::run(seed, false);
        assert_eq!(first, sim::simulation::run(seed, false), "seed {seed}");
        assert!(first.events > 20 && first.answers > 20, "a seed does something: {first:?}");
    }
}
