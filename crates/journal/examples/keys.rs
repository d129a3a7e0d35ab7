//! Measures the keys on a real disk: recent claims, filing, merging, and looking new keys up among many old ones.
//!
//! `cargo run --release -p journal --example keys -- [DIR] [OLD_KEYS_IN_MILLIONS]...`
//!
//! Writes some 5 GB below DIR (default: the temporary folder) at 100 million keys, and removes it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::disk::{Disk, OsDisk};
use journal::keys::{Digest, Filer, Options, Recent, Shelf};
use rand::{Rng, SeedableRng, rngs::SmallRng};

const BATCH: usize = 8192;

struct Bench {
    shelf: Shelf,
    recent: Recent,
    filer: Filer<OsDisk>,
    rng: SmallRng,
    sequence: u64,
    recent_time: Duration,
    slowest_first: Duration,
    slowest_batch: Duration,
    slowest_seal: Duration,
    filing: Duration,
    filed: u64,
    merging: Duration,
    slowest_step: Duration,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().map_or_else(std::env::temp_dir, PathBuf::from).join("bankcore-keys-bench");
    let mut sizes: Vec<u64> = args.map(|arg| arg.parse().expect("a number of millions")).collect();
    if sizes.is_empty() {
        sizes = vec![10, 100];
    }
    let _ = std::fs::remove_dir_all(&dir);

    let options = Options::new([1; 32], SmallRng::seed_from_u64(3).random());
    let mut bench = Bench::new(&dir, options.clone());
    for millions in sizes {
        while bench.sequence < millions * 1_000_000 {
            bench.batch();
            bench.background();
        }
        bench.report(&dir, millions);
    }
    let old = bench.sequence;
    drop(bench);
    let start = Instant::now();
    let opened = Shelf::open(&OsDisk, &dir, options, old).unwrap();
    println!("open                    {:>9.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    opened.shelf.runs().verify().unwrap();
    println!("verify every block      {:>9.0} ms", start.elapsed().as_secs_f64() * 1e3);
    std::fs::remove_dir_all(&dir).unwrap();
}

impl Bench {
    fn new(dir: &Path, options: Options) -> Self {
        let shelf = Shelf::open(&OsDisk, dir, options, 0).unwrap().shelf;
        Self {
            recent: Recent::new(&shelf),
            filer: Filer::new(&OsDisk, dir, &shelf),
            shelf,
            rng: SmallRng::seed_from_u64(1),
            sequence: 0,
            recent_time: Duration::ZERO,
            slowest_first: Duration::ZERO,
            slowest_batch: Duration::ZERO,
            slowest_seal: Duration::ZERO,
            filing: Duration::ZERO,
            filed: 0,
            merging: Duration::ZERO,
            slowest_step: Duration::ZERO,
        }
    }

    /// What the rules thread does for a batch of new keys.
    fn batch(&mut self) {
        let digests: Vec<Digest> = (0..BATCH).map(|_| Digest::new(self.rng.random())).collect();
        let runs = self.shelf.runs();
        let start = Instant::now();
        for part in digests.chunks(512) {
            self.recent.touch(&runs, part);
            for digest in part {
                assert_eq!(self.recent.get(&runs, digest), None);
                self.sequence += 1;
                self.recent.insert(*digest, self.sequence);
            }
        }
        let inserted = start.elapsed();
        let generations = self.recent.generations();
        self.recent.end_of_batch(self.sequence);
        let time = start.elapsed();
        self.recent_time += time;
        // Pages of the first table are mapped by the first inserts; later tables were made ahead.
        let first = self.shelf.status().filed_claims == 0 && self.recent.generations() == 0;
        let slowest = if first { &mut self.slowest_first } else { &mut self.slowest_batch };
        *slowest = inserted.max(*slowest);
        if self.recent.generations() != generations {
            self.slowest_seal = self.slowest_seal.max(time - inserted);
        }
    }

    fn background(&mut self) {
        loop {
            let before = self.shelf.status();
            let start = Instant::now();
            let worked = self.filer.step(self.sequence).unwrap();
            let time = start.elapsed();
            let after = self.shelf.status();
            if after.filed_claims > before.filed_claims {
                self.filing += time;
                self.filed += after.filed_claims - before.filed_claims;
            } else if worked && before.unfiled_generations == 0 && after.runs_memory_bytes > 0 {
                self.merging += time;
                self.slowest_step = self.slowest_step.max(time);
            }
            if !worked {
                return;
            }
        }
    }

    fn report(&mut self, dir: &Path, millions: u64) {
        let status = self.shelf.status();
        let per = |time: Duration, keys: u64| time.as_secs_f64() * 1e9 / keys as f64;
        println!("--- {millions} million old keys, {} runs", status.runs);
        println!("recent: touch+get+insert {:>8.1} ns a key", per(self.recent_time, self.sequence));
        println!("  slowest batch, table 1 {:>8.2} ms for {BATCH}", self.slowest_first.as_secs_f64() * 1e3);
        println!("  slowest batch, later   {:>8.2} ms for {BATCH}", self.slowest_batch.as_secs_f64() * 1e3);
        println!("  slowest seal           {:>8.3} ms", self.slowest_seal.as_secs_f64() * 1e3);
        println!("sort and file            {:>8.1} ns a key", per(self.filing, self.filed));
        println!("merge, all tiers         {:>8.1} ns a key kept", per(self.merging, self.filed));
        println!("  slowest merge step     {:>8.1} ms", self.slowest_step.as_secs_f64() * 1e3);

        let runs = self.shelf.runs();
        let mut found = Vec::new();
        for round in ["first", "warm"] {
            let mut times: Vec<Duration> = (0..200)
                .map(|_| {
                    let digests: Vec<Digest> = (0..BATCH).map(|_| Digest::new(self.rng.random())).collect();
                    let start = Instant::now();
                    runs.find_batch(&digests, &mut found).unwrap();
                    start.elapsed()
                })
                .collect();
            assert!(found.is_empty());
            times.sort();
            let (median, worst) = (per(times[100], BATCH as u64), per(times[197], BATCH as u64));
            println!("find_batch, new keys     {median:>8.1} ns a key ({round}; 99 % below {worst:.1})");
        }
        let disk: u64 = OsDisk
            .list(dir)
            .unwrap()
            .iter()
            .map(|name| std::fs::metadata(dir.join(name)).unwrap().len())
            .sum();
        println!("filters and fences       {:>8.1} MB", status.runs_memory_bytes as f64 / 1e6);
        println!("resident memory          {:>8.1} MB", resident() as f64 / 1e6);
        println!("on disk                  {:>8.1} MB", disk as f64 / 1e6);
    }
}

/// Resident memory of this process in bytes, as Linux tells it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}
