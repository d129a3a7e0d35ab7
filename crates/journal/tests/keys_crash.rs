//! Filing and merging cut short at every single change of the disk, and disks that fail or fill up.

use std::path::Path;

use journal::disk::fault::{Call, Errno, Fault, Survival};
use journal::disk::{Disk, SimDisk};
use journal::keys::{Digest, Filer, KeysError, Options, Reason, Recent, Shelf};
use rand::{Rng, SeedableRng, rngs::SmallRng};

const DIR: &str = "keys";
const HEAD: u64 = 480;

fn options() -> Options {
    let small = Options {
        generation_claims: 96,
        batch_claims: 32,
        merge_slice: 100,
        ..Options::new([7; 32], [3, 5])
    };
    Options { reserve_bytes: 0, ..small }
}

fn digests() -> Vec<Digest> {
    let mut rng = SmallRng::seed_from_u64(11);
    (0..HEAD).map(|_| Digest::new(rng.random())).collect()
}

fn open(disk: &SimDisk, head: u64) -> (Shelf, Recent, Filer<SimDisk>, u64) {
    let opened = Shelf::open(disk, Path::new(DIR), options(), head).unwrap();
    let (recent, filer) = (Recent::new(&opened.shelf), Filer::new(disk, Path::new(DIR), &opened.shelf));
    (opened.shelf, recent, filer, opened.covered_through)
}

fn replay(recent: &mut Recent, digests: &[Digest], covered: u64) {
    for sequence in covered + 1..=HEAD {
        recent.insert(digests[sequence as usize - 1], sequence);
        if sequence % 16 == 0 {
            recent.end_of_batch(sequence);
        }
    }
}

fn check(shelf: &Shelf, recent: &Recent, digests: &[Digest]) {
    let runs = shelf.runs();
    for (i, digest) in digests.iter().enumerate() {
        let seen = runs.find(digest).unwrap().or_else(|| recent.get(&runs, digest));
        assert_eq!(seen, Some(i as u64 + 1));
    }
}

/// Six generations are filed and four of them merged; answers the disk and how many changes it saw.
fn script(halt_at: Option<u64>) -> SimDisk {
    let disk = SimDisk::new();
    if let Some(n) = halt_at {
        disk.halt_at(n);
    }
    let digests = digests();
    let Ok(opened) = Shelf::open(&disk, Path::new(DIR), options(), 0) else { return disk };
    let mut recent = Recent::new(&opened.shelf);
    replay(&mut recent, &digests, 0);
    let mut filer = Filer::new(&disk, Path::new(DIR), &opened.shelf);
    for _ in 0..40 {
        recent.end_of_batch(HEAD);
        let _ = filer.step(HEAD);
    }
    check(&opened.shelf, &recent, &digests);
    disk
}

#[test]
fn a_crash_at_any_change_loses_no_claim() {
    let whole = script(None);
    assert!(open(&whole, HEAD).0.status().runs < 6, "the script merges");
    let digests = digests();
    for n in 0..whole.changes() {
        let halted = script(Some(n));
        for survival in [Survival::Nothing, Survival::All, Survival::Sectors(1), Survival::Subset(n)] {
            let disk = halted.crash(survival);
            let (shelf, mut recent, mut filer, covered) = open(&disk, HEAD);
            replay(&mut recent, &digests, covered);
            check(&shelf, &recent, &digests);
            shelf.runs().verify().unwrap();
            while filer.step(HEAD).unwrap() {}
            check(&shelf, &recent, &digests);
        }
        // The process alone was killed: names are there that a later loss of power may still take away.
        let (shelf, mut recent, _, covered) = open(&halted.fork(), HEAD);
        replay(&mut recent, &digests, covered);
        check(&shelf, &recent, &digests);
    }
}

#[test]
fn whatever_call_fails_the_claims_stay_and_the_next_try_files_them() {
    let digests = digests();
    for call in Call::ALL {
        for nth in 0..40 {
            let disk = SimDisk::new();
            let (shelf, mut recent, mut filer, _) = open(&disk, 0);
            replay(&mut recent, &digests, 0);
            disk.plan(Fault { call, nth, errno: Errno::Io, sticky: false });
            let mut failures = 0;
            for _ in 0..60 {
                recent.end_of_batch(HEAD);
                failures += u64::from(filer.step(HEAD).is_err());
            }
            assert_eq!(shelf.status().failures, failures);
            assert_eq!(shelf.status().last_error, None, "{call:?} {nth}: it recovered");
            disk.heal();
            check(&shelf, &recent, &digests);
            let status = shelf.status();
            assert_eq!((status.unfiled_generations, status.retired_runs), (0, 0), "{call:?} {nth}");
            let (shelf, recent, ..) = open(&disk.crash(Survival::Nothing), HEAD);
            assert_eq!(shelf.status().filed_through, status.filed_through);
            drop(recent);
        }
    }
}

#[test]
fn a_full_disk_keeps_generations_in_memory_and_leaves_the_reserve_alone() {
    let digests = digests();
    let disk = SimDisk::new();
    disk.set_capacity(Some(30_000));
    let reserved = Options { reserve_bytes: 10_000, ..options() };
    let shelf = Shelf::open(&disk, Path::new(DIR), reserved, 0).unwrap().shelf;
    let (mut recent, mut filer) = (Recent::new(&shelf), Filer::new(&disk, Path::new(DIR), &shelf));
    replay(&mut recent, &digests, 0);
    let error = (0..10).find_map(|_| filer.step(HEAD).err()).expect("no room for all");
    assert!(matches!(error, KeysError::NoSpace { .. }), "{error}");
    assert!(disk.used() <= 20_000);
    let status = shelf.status();
    assert!(status.runs >= 1 && status.unfiled_generations >= 1 && status.unfiled_memory_bytes > 0);
    assert!(status.last_error.unwrap().contains("bytes free"));
    recent.end_of_batch(HEAD);
    check(&shelf, &recent, &digests);

    // The reserve was taken by the journal meanwhile: the write itself fails.
    let greedy = SimDisk::new();
    let (shelf, mut recent, mut filer, _) = open(&greedy, 0);
    replay(&mut recent, &digests, 0);
    greedy.plan(Fault { call: Call::Write, nth: 0, errno: Errno::NoSpace, sticky: true });
    assert!(matches!(filer.step(HEAD), Err(KeysError::Io { .. })));
    assert_eq!(greedy.used(), 0, "what was begun is removed");
    check(&shelf, &recent, &digests);
    greedy.heal();
    while filer.step(HEAD).unwrap() {}
    recent.end_of_batch(HEAD);
    check(&shelf, &recent, &digests);
    assert_eq!(shelf.status().unfiled_generations, 0);

    disk.set_capacity(None);
    for _ in 0..40 {
        recent.end_of_batch(HEAD);
        let _ = filer.step(HEAD);
    }
}

#[test]
fn only_durable_generations_are_filed() {
    let disk = SimDisk::new();
    let (shelf, mut recent, mut filer, _) = open(&disk, 0);
    replay(&mut recent, &digests(), 0);
    for durable in 0..=HEAD {
        while filer.step(durable).unwrap() {
            recent.end_of_batch(HEAD);
        }
        assert!(shelf.status().filed_through <= durable);
    }
    assert!(shelf.status().filed_through > HEAD / 2);
}

#[test]
fn runs_beyond_the_journals_head_are_discarded() {
    let disk = script(None);
    let through = open(&disk, HEAD).3;
    let opened = Shelf::open(&disk, Path::new(DIR), options(), through - 1).unwrap();
    assert!(opened.covered_through < through);
    assert_eq!(opened.discarded.len(), 1);
    assert_eq!(opened.discarded[0].why, Reason::BeyondHead);
    assert!(!disk.exists(&Path::new(DIR).join(&opened.discarded[0].name)));
}
