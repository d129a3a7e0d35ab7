//! References: one digest, many values, paged from the newest to the oldest across memory and runs.

use std::collections::BTreeSet;
use std::path::Path;

use journal::disk::SimDisk;
use journal::keys::{Digest, Filer, Options, References, Shelf};
use rand::{Rng, SeedableRng, rngs::SmallRng};

const DIR: &str = "references";

fn options() -> Options {
    Options { generation_claims: 1000, merge_slice: 777, reserve_bytes: 0, ..Options::new([9; 32], [1, 2]) }
}

fn open(disk: &SimDisk, head: u64) -> (Shelf, References, Filer<SimDisk>, u64) {
    let opened = Shelf::open(disk, Path::new(DIR), options(), head).unwrap();
    let references = References::new(&opened.shelf);
    let filer = Filer::new(disk, Path::new(DIR), &opened.shelf);
    (opened.shelf, references, filer, opened.covered_through)
}

fn expected(model: &BTreeSet<(Digest, u64)>, digest: Digest, before: u64, limit: usize) -> Vec<u64> {
    model.range((digest, 0)..(digest, before)).rev().take(limit).map(|(_, value)| *value).collect()
}

#[test]
fn pages_are_those_of_an_ordered_set() {
    for seed in 0..6 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let disk = SimDisk::new();
        let (mut shelf, mut references, mut filer, _) = open(&disk, 0);
        // A standing order, some frequent ones, and many that occur once. Two differ in the last byte only, so that
        // no fence can tell them apart.
        let mut known: Vec<Digest> = (0..20).map(|_| Digest::new(rng.random())).collect();
        let mut near = known[0].bytes();
        near[15] ^= 1;
        known.push(Digest::new(near));
        let mut model = BTreeSet::new();
        let mut journal = Vec::new();
        for round in 0..400 {
            let batch: Vec<(Digest, u64)> = (0..rng.random_range(1..80))
                .map(|i| {
                    let digest = match rng.random_range(0..4) {
                        0 => known[0],
                        1 => known[20],
                        2 => known[rng.random_range(1..20)],
                        _ => Digest::new(rng.random()),
                    };
                    (digest, journal.len() as u64 + i + 1)
                })
                .collect();
            model.extend(batch.iter().copied());
            journal.extend(batch.iter().copied());
            let head = journal.len() as u64;
            references.insert_batch(batch, head);
            for _ in 0..rng.random_range(0..4) {
                filer.step(head).unwrap();
            }
            if round % 150 == 149 {
                let covered;
                (shelf, references, filer, covered) = open(&disk, head);
                references.insert_batch(journal[covered as usize..].iter().copied(), head);
            }
            let digest = known[rng.random_range(0..known.len())];
            let before = if rng.random() { u64::MAX } else { rng.random_range(0..=head + 1) };
            let limit = rng.random_range(1..300);
            let found = references.find_all(&digest, before, limit).unwrap();
            assert_eq!(found, expected(&model, digest, before, limit));
        }
        for digest in known {
            let (mut pages, mut before) = (Vec::new(), u64::MAX);
            loop {
                let page = references.find_all(&digest, before, 50).unwrap();
                let Some(last) = page.last() else { break };
                before = *last;
                pages.extend(page);
            }
            assert_eq!(pages, expected(&model, digest, u64::MAX, usize::MAX));
        }
        assert_eq!(references.find_all(&Digest::new(rng.random()), u64::MAX, 10).unwrap(), []);
        assert!(shelf.status().filed_claims > 5_000);
        shelf.runs().verify().unwrap();
        let (mut all, through) = (Vec::new(), shelf.runs().through());
        shelf.runs().for_each(|digest, value| all.push((digest, value))).unwrap();
        let filed = model.iter().copied().filter(|(_, value)| *value <= through);
        assert_eq!(all, filed.collect::<Vec<_>>(), "one pass over all runs gives each claim once, in order");
    }
}

/// Linear probing would need half a million steps for the last of these.
#[test]
fn a_reference_used_very_often_costs_no_more() {
    let disk = SimDisk::new();
    let (_, references, mut filer, _) = open(&disk, 0);
    let digest = Digest::new([42; 16]);
    for first in (0..200_000).step_by(500) {
        references.insert_batch((first + 1..=first + 500).map(|value| (digest, value)), first + 500);
        filer.step(first + 500).unwrap();
    }
    let found = references.find_all(&digest, 100_001, 3).unwrap();
    assert_eq!(found, [100_000, 99_999, 99_998]);
}

/// A bank whose customers hardly ever send references filed none of them, and every start walked the whole
/// journal to find the few there were.
#[test]
fn a_generation_ends_after_so_many_sequences_even_if_it_is_empty() {
    let disk = SimDisk::new();
    let options = Options { generation_sequences: 100, reserve_bytes: 0, ..Options::new([7; 32], [1, 2]) };
    let dir = Path::new("references");
    let shelf = Shelf::open(&disk, dir, options.clone(), 0).unwrap().shelf;
    let references = References::new(&shelf);
    let mut filer = Filer::new(&disk, dir, &shelf);
    let digest = Digest::new([9; 16]);
    for last in (50..=1_000).step_by(50) {
        let one = (last == 450).then_some((digest, 450));
        references.insert_batch(one, last);
        while filer.step(last).unwrap() {}
    }
    assert_eq!(references.find_all(&digest, u64::MAX, 10).unwrap(), [450]);
    drop(references);
    let opened = Shelf::open(&disk, dir, options, 1_000).unwrap();
    assert_eq!(opened.discarded, []);
    assert!(opened.covered_through >= 900, "{}", opened.covered_through);
    assert_eq!(References::new(&opened.shelf).find_all(&digest, u64::MAX, 10).unwrap(), [450]);
}
