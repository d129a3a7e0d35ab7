//! The visibility protocol with real threads: two submit, one decides, one files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use journal::disk::SimDisk;
use journal::keys::{Digest, Filer, Options, Recent, Runs, Shelf};
use rand::{Rng, SeedableRng, rngs::SmallRng};

const DIR: &str = "keys";
const SUBMISSIONS: u64 = 4_000;

struct Submission {
    runs: Arc<Runs>,
    digests: Vec<Digest>,
    found: Vec<(usize, u64)>,
}

#[test]
fn no_claim_is_missed_between_threads() {
    let disk = SimDisk::new();
    let options = Options {
        generation_claims: 2_000,
        batch_claims: 512,
        merge_slice: 500,
        reserve_bytes: 0,
        ..Options::new([7; 32], [1, 2])
    };
    let shelf = Shelf::open(&disk, Path::new(DIR), options, 0).unwrap().shelf;
    let mut recent = Recent::new(&shelf);
    let (durable, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (send, receive) = mpsc::sync_channel::<Submission>(64);

    thread::scope(|scope| {
        let filer = Filer::new(&disk, Path::new(DIR), &shelf);
        let filing = scope.spawn(|| filer.run(|| durable.load(Ordering::Acquire), &stop));
        for thread in 0..2 {
            let (send, shelf) = (send.clone(), shelf.clone());
            scope.spawn(move || {
                let mut rng = SmallRng::seed_from_u64(thread);
                let mut held = None;
                for n in 0..SUBMISSIONS {
                    // Both threads draw from the same space, a small one, so that many keys come twice.
                    let digests: Vec<Digest> =
                        (0..16).map(|_| digest(rng.random_range(0..120_000))).collect();
                    // Now and then an old set is kept for many submissions: the slow client.
                    if n % 50 < 40 || held.is_none() {
                        held = Some(shelf.runs());
                    }
                    let runs = held.clone().expect("just taken");
                    let mut found = Vec::new();
                    runs.find_batch(&digests, &mut found).unwrap();
                    send.send(Submission { runs, digests, found }).unwrap();
                }
            });
        }
        drop(send);

        let mut claimed: HashMap<Digest, u64> = HashMap::new();
        let (mut sequence, mut old) = (0, 0);
        while let Ok(submission) = receive.recv() {
            recent.touch(&submission.runs, &submission.digests);
            let mut found = vec![None; submission.digests.len()];
            for (at, value) in submission.found {
                found[at] = Some(value);
            }
            for (digest, found) in submission.digests.iter().zip(found) {
                let seen = found.or_else(|| recent.get(&submission.runs, digest));
                assert_eq!(seen, claimed.get(digest).copied());
                old += u64::from(found.is_some());
                if seen.is_none() {
                    sequence += 1;
                    claimed.insert(*digest, sequence);
                    recent.insert(*digest, sequence);
                }
            }
            drop(submission.runs);
            recent.end_of_batch(sequence);
            durable.store(sequence, Ordering::Release);
            filing.thread().unpark();
        }
        assert!(old > 1_000, "only {old} look-ups were answered by runs");
        stop.store(true, Ordering::Relaxed);
        filing.thread().unpark();
    });
    assert!(shelf.status().runs > 0);
    assert_eq!(shelf.status().failures, 0);
}

/// The digest of key `n`: any mixing will do.
fn digest(n: u64) -> Digest {
    let mut rng = SmallRng::seed_from_u64(n);
    Digest::new(rng.random())
}
