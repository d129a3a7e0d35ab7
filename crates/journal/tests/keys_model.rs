//! The keys against a plain map, with everything in random order: submissions that are prepared early and arrive
//! late, batches, filing, merging, failing disks, crashes and reopenings.
//!
//! The one promise: what was claimed is seen by every look-up that is decided later.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use journal::disk::fault::{Call, Errno, Fault, Survival};
use journal::disk::{Disk, SimDisk};
use journal::keys::{Digest, Filer, Options, Recent, Runs, Shelf};
use rand::{Rng, SeedableRng, rngs::SmallRng};

const DIR: &str = "data/keys";
const TAG: u64 = 0x05 << 56;

fn options(seed: u64) -> Options {
    Options {
        generation_claims: 96,
        batch_claims: 32,
        merge_slice: 50,
        reserve_bytes: 0,
        ..Options::new([7; 32], [seed, !seed])
    }
}

/// A submission between its look-up in the runs and its arrival at the rules thread.
struct Submission {
    runs: Arc<Runs>,
    digests: Vec<Digest>,
    found: Vec<Option<u64>>,
}

struct World {
    rng: SmallRng,
    disk: SimDisk,
    shelf: Shelf,
    recent: Recent,
    filer: Filer<SimDisk>,
    under_way: Vec<Submission>,
    /// What was claimed at each sequence (from 1), if anything: the journal.
    journal: Vec<Option<Digest>>,
    durable: u64,
    claimed: BTreeMap<Digest, u64>,
    reopened: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let disk = SimDisk::new();
        let opened = Shelf::open(&disk, Path::new(DIR), options(seed), 0).unwrap();
        assert_eq!((opened.covered_through, opened.discarded.len()), (0, 0));
        Self {
            rng: SmallRng::seed_from_u64(seed),
            recent: Recent::new(&opened.shelf),
            filer: Filer::new(&disk, Path::new(DIR), &opened.shelf),
            shelf: opened.shelf,
            disk,
            under_way: Vec::new(),
            journal: Vec::new(),
            durable: 0,
            claimed: BTreeMap::new(),
            reopened: 0,
        }
    }

    fn head(&self) -> u64 {
        self.journal.len() as u64
    }

    /// New ones mostly; some were claimed long ago, some are claimed by another submission on its way.
    fn draw(&mut self) -> Digest {
        match self.rng.random_range(0..10) {
            0 | 1 if !self.journal.is_empty() => {
                let at = self.rng.random_range(0..self.journal.len());
                self.journal[at].unwrap_or_else(|| Digest::new(self.rng.random()))
            }
            2 if !self.under_way.is_empty() => {
                let at = self.rng.random_range(0..self.under_way.len());
                self.under_way[at].digests[0]
            }
            _ => Digest::new(self.rng.random()),
        }
    }

    fn prepare(&mut self) {
        let len = self.rng.random_range(1..=8);
        let digests: Vec<Digest> = (0..len).map(|_| self.draw()).collect();
        let runs = self.shelf.runs();
        let mut hits = Vec::new();
        runs.find_batch(&digests, &mut hits).unwrap();
        let mut found = vec![None; digests.len()];
        for (at, value) in hits {
            assert_eq!(found[at].replace(value), None, "found in two runs");
        }
        self.under_way.push(Submission { runs, digests, found });
    }

    /// One batch of the rules thread: some of the submissions, in any order, then the batch's end.
    fn decide(&mut self) {
        for _ in 0..self.rng.random_range(0..=4) {
            if self.under_way.is_empty() {
                break;
            }
            let at = self.rng.random_range(0..self.under_way.len());
            let submission = self.under_way.swap_remove(at);
            self.recent.touch(&submission.runs, &submission.digests);
            for (digest, found) in submission.digests.iter().zip(&submission.found) {
                let seen = found.or_else(|| self.recent.get(&submission.runs, digest));
                assert_eq!(seen, self.claimed.get(digest).copied(), "{digest:?}");
                if seen.is_none() {
                    self.journal.push(Some(*digest));
                    self.claimed.insert(*digest, TAG | self.head());
                    self.recent.insert(*digest, TAG | self.head());
                }
            }
        }
        if self.rng.random_bool(0.2) {
            self.journal.push(None);
        }
        self.recent.end_of_batch(self.head());
    }

    fn sync(&mut self) {
        self.durable = self.rng.random_range(self.durable..=self.head());
    }

    fn file(&mut self) {
        if self.rng.random_bool(0.1) {
            let call = Call::ALL[self.rng.random_range(0..Call::ALL.len())];
            let errno = if self.rng.random() { Errno::Io } else { Errno::NoSpace };
            self.disk.plan(Fault {
                call,
                nth: self.rng.random_range(0..4),
                errno,
                sticky: self.rng.random(),
            });
        }
        for _ in 0..self.rng.random_range(1..=12) {
            let _ = self.filer.step(self.durable);
        }
        self.disk.heal();
    }

    /// The process ends; the journal keeps what was durable and perhaps more.
    fn reopen(&mut self) {
        self.reopened += 1;
        self.under_way.clear();
        self.disk = match self.rng.random_range(0..3) {
            0 => self.disk.fork(),
            1 => self.disk.crash(Survival::Nothing),
            _ => self.disk.crash(Survival::Subset(self.rng.random())),
        };
        self.journal.truncate(self.rng.random_range(self.durable..=self.head()) as usize);
        self.durable = self.head();
        self.claimed.retain(|_, value| *value & !TAG <= self.durable);

        let seed = self.rng.random();
        let opened = Shelf::open(&self.disk, Path::new(DIR), options(seed), self.durable).unwrap();
        assert!(opened.covered_through <= self.durable);
        self.shelf = opened.shelf;
        self.recent = Recent::new(&self.shelf);
        self.filer = Filer::new(&self.disk, Path::new(DIR), &self.shelf);
        for sequence in opened.covered_through + 1..=self.head() {
            if let Some(digest) = self.journal[sequence as usize - 1] {
                self.recent.insert(digest, TAG | sequence);
            }
            if sequence % 16 == 0 || sequence == self.head() {
                self.recent.end_of_batch(sequence);
            }
        }
        self.check_all();
    }

    fn check_all(&self) {
        let runs = self.shelf.runs();
        for (digest, value) in &self.claimed {
            let seen = runs.find(digest).unwrap().or_else(|| self.recent.get(&runs, digest));
            assert_eq!(seen, Some(*value));
        }
    }

    /// When nobody waits and nothing is left to do, memory and disk hold exactly what is needed.
    fn check_at_rest(&mut self) {
        self.under_way.clear();
        self.durable = self.head();
        let mut idle = 0;
        while idle < 2000 {
            self.recent.end_of_batch(self.head());
            idle = if self.filer.step(self.durable).unwrap() { 0 } else { idle + 1 };
        }
        self.check_all();
        assert_eq!(self.recent.generations(), 0, "covered generations are freed");
        let status = self.shelf.status();
        assert_eq!((status.unfiled_generations, status.retired_runs), (0, 0));
        assert!(status.runs <= 9, "{status:?}");
        let files = self.disk.list(Path::new(DIR)).unwrap();
        assert_eq!(files.len(), status.runs, "{files:?}");
        self.shelf.runs().verify().unwrap();
    }
}

#[test]
fn a_claim_is_never_invisible() {
    let mut reopened = 0;
    for seed in 0..40 {
        let mut world = World::new(seed);
        for _ in 0..6_000 {
            match world.rng.random_range(0..1000) {
                0..400 => world.prepare(),
                400..700 => world.decide(),
                700..850 => world.sync(),
                850..990 => world.file(),
                // Some submissions never arrive: their client is gone, or the queue was full.
                990..998 if !world.under_way.is_empty() => drop(world.under_way.swap_remove(0)),
                998 => world.reopen(),
                _ => {}
            }
        }
        world.check_all();
        world.check_at_rest();
        reopened += world.reopened;
        assert!(world.claimed.len() > 2_000, "the generator reaches several tiers");
    }
    assert!(reopened > 100);
}

/// The story that a weak reference to only the last set before a generation would get wrong: a slow submission holds
/// a set from two generations ago, and all later sets are unused.
#[test]
fn a_submission_from_two_generations_ago_still_sees_everything() {
    let mut world = World::new(1);
    let slow = world.shelf.runs();
    let mut digests = Vec::new();
    while world.shelf.status().runs < 3 {
        for _ in 0..16 {
            let digest = Digest::new(world.rng.random());
            world.journal.push(Some(digest));
            world.recent.insert(digest, world.head());
            digests.push(digest);
        }
        world.recent.end_of_batch(world.head());
        world.filer.step(world.head()).unwrap();
    }
    assert_eq!(slow.through(), 0);
    for (i, digest) in digests.iter().enumerate() {
        assert_eq!(world.recent.get(&slow, digest), Some(i as u64 + 1));
    }
    drop(slow);
    world.recent.end_of_batch(world.head());
    assert_eq!(world.recent.generations(), 0);
}

/// Keeping the covered part in memory is not enough: whoever breaks the protocol must be stopped, not answered.
#[test]
#[should_panic(expected = "memory starts after")]
fn a_set_from_before_the_memory_is_refused() {
    let mut world = World::new(1);
    let foreign = World::new(2).shelf.runs();
    while world.shelf.status().runs == 0 {
        for _ in 0..16 {
            world.journal.push(None);
            world.recent.insert(Digest::new(world.rng.random()), world.journal.len() as u64);
        }
        world.recent.end_of_batch(world.head());
        world.filer.step(world.head()).unwrap();
    }
    world.recent.end_of_batch(world.head());
    world.recent.get(&foreign, &Digest::new([0; 16]));
}

/// Twelve bits a key must buy a read for at most one foreign digest in two hundred, and one read only.
#[test]
fn a_new_key_costs_a_read_once_in_two_hundred() {
    let disk = SimDisk::new();
    let options = Options { generation_claims: 50_000, batch_claims: 1000, reserve_bytes: 0, ..options(1) };
    let shelf = Shelf::open(&disk, Path::new(DIR), options, 0).unwrap().shelf;
    let (mut recent, mut filer) = (Recent::new(&shelf), Filer::new(&disk, Path::new(DIR), &shelf));
    let mut rng = SmallRng::seed_from_u64(1);
    for sequence in 1..=50_000 {
        recent.insert(Digest::new(rng.random()), sequence);
        if sequence % 500 == 0 {
            recent.end_of_batch(sequence);
        }
    }
    while filer.step(50_000).unwrap() {}
    let runs = shelf.runs();
    assert_eq!(runs.len(), 1);

    let strangers: Vec<Digest> = (0..200_000).map(|_| Digest::new(rng.random())).collect();
    let before = disk.calls(Call::Read);
    let mut found = Vec::new();
    runs.find_batch(&strangers, &mut found).unwrap();
    let reads = disk.calls(Call::Read) - before;
    assert!(found.is_empty());
    assert!((200..=1_000).contains(&reads), "{reads} reads for {} strangers", strangers.len());
}
