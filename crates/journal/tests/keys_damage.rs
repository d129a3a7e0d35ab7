//! Damaged runs: noticed wherever the bad byte is, never answered with "not found", and rebuilt.

use std::path::{Path, PathBuf};

use journal::disk::fault::{Call, Errno, Fault};
use journal::disk::{Disk, SimDisk};
use journal::keys::{Digest, Filer, KeysError, Options, Reason, Recent, Shelf, condemn};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use sha2::{Digest as _, Sha256};

const DIR: &str = "keys";

fn options() -> Options {
    Options {
        generation_claims: 432,
        batch_claims: 32,
        reserve_bytes: 0,
        merge_slice: 100_000,
        ..Options::new([7; 32], [3, 5])
    }
}

fn filled(claims: u64) -> (SimDisk, Vec<Digest>) {
    let disk = SimDisk::new();
    let shelf = Shelf::open(&disk, Path::new(DIR), options(), 0).unwrap().shelf;
    let (mut recent, mut filer) = (Recent::new(&shelf), Filer::new(&disk, Path::new(DIR), &shelf));
    let mut rng = SmallRng::seed_from_u64(5);
    let digests: Vec<Digest> = (0..claims).map(|_| Digest::new(rng.random())).collect();
    for (digest, sequence) in digests.iter().zip(1..) {
        recent.insert(*digest, sequence);
        if sequence % 16 == 0 {
            recent.end_of_batch(sequence);
        }
    }
    while filer.step(claims).unwrap() {
        recent.end_of_batch(claims);
    }
    (disk, digests)
}

fn runs_on(disk: &SimDisk) -> Vec<PathBuf> {
    disk.list(Path::new(DIR)).unwrap().iter().map(|name| Path::new(DIR).join(name)).collect()
}

#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let (disk, digests) = filled(416);
    let path = runs_on(&disk).pop().unwrap();
    let len = disk.contents(&path).unwrap().len();
    let mut rng = SmallRng::seed_from_u64(6);
    let (mut at_open, mut at_look_up) = (0, 0);
    for at in 0..len {
        let bit = 1 << rng.random_range(0..8);
        let damaged = disk.fork();
        damaged.tamper(&path, |bytes| bytes[at] ^= bit).unwrap();
        let opened = Shelf::open(&damaged, Path::new(DIR), options(), 416).unwrap();
        if opened.covered_through == 0 {
            assert!(matches!(opened.discarded[0].why, Reason::Damaged(_)));
            assert!(!damaged.exists(&path));
            at_open += 1;
            continue;
        }
        let runs = opened.shelf.runs();
        let error = runs.verify().unwrap_err();
        assert!(error.is_damage(), "byte {at}: {error}");
        at_look_up += 1;
        if at % 61 == 0 {
            let answers = digests.iter().zip(1..).filter(|(digest, sequence)| match runs.find(digest) {
                Ok(found) => {
                    assert_eq!(found, Some(*sequence), "byte {at}");
                    false
                }
                Err(error) => error.is_damage(),
            });
            assert!(answers.count() > 0, "byte {at}: some block is bad");
        }
    }
    assert_eq!(at_look_up, 3 * 4096, "blocks are checked when read, everything else when opened");
    assert_eq!(at_open, len - 3 * 4096);
}

/// Files of version 1 are out there: a change of these bytes needs a new version, not a new hash.
#[test]
fn the_format_does_not_drift() {
    let disk = SimDisk::new();
    let shelf = Shelf::open(&disk, Path::new(DIR), options(), 0).unwrap().shelf;
    let (mut recent, mut filer) = (Recent::new(&shelf), Filer::new(&disk, Path::new(DIR), &shelf));
    for sequence in 1..=416u64 {
        let digest: [u8; 16] = Sha256::digest(sequence.to_be_bytes())[..16].try_into().unwrap();
        recent.insert(Digest::new(digest), 0x0200_0000_0000_0000 | sequence);
    }
    recent.end_of_batch(416);
    assert!(filer.step(416).unwrap());
    let bytes = disk.contents(&Path::new(DIR).join("0000000000000001-00000000000001a0.run")).unwrap();
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes.len(), 17_048);
    assert_eq!(hash, "4645a514e3a5f690914da9fa8f3cdb512ad0b4d3dd5fbbe026695bafed9c8fed");
}

#[test]
fn a_file_cut_or_grown_is_damaged() {
    let (disk, _) = filled(416);
    let path = runs_on(&disk).pop().unwrap();
    let len = disk.contents(&path).unwrap().len();
    for cut in (0..len).step_by(97).chain([len - 1, len + 1]) {
        let damaged = disk.fork();
        damaged.tamper(&path, |bytes| bytes.resize(cut, 0)).unwrap();
        let opened = Shelf::open(&damaged, Path::new(DIR), options(), 416).unwrap();
        assert_eq!(opened.covered_through, 0, "{cut} of {len} bytes");
    }
}

#[test]
fn blocks_and_files_that_belong_elsewhere_are_damaged() {
    let (disk, digests) = filled(416);
    let path = runs_on(&disk).pop().unwrap();
    let swapped = disk.fork();
    swapped
        .tamper(&path, |bytes| {
            let (one, two) = bytes[4096..].split_at_mut(4096);
            one.swap_with_slice(&mut two[..4096]);
        })
        .unwrap();
    let runs = Shelf::open(&swapped, Path::new(DIR), options(), 416).unwrap().shelf.runs();
    assert!(digests.iter().all(|digest| runs.find(digest).is_err() || runs.find(digest).unwrap().is_some()));
    assert!(runs.verify().unwrap_err().is_damage());

    // A sound block of another run, in the same place: a file system that mixed up two extents.
    let (mixed, digests) = filled(2 * 416);
    let paths = runs_on(&mixed);
    let foreign = mixed.contents(&paths[0]).unwrap()[4096..8192].to_vec();
    mixed.tamper(&paths[1], |bytes| bytes[4096..8192].copy_from_slice(&foreign)).unwrap();
    let runs = Shelf::open(&mixed, Path::new(DIR), options(), 2 * 416).unwrap().shelf.runs();
    assert!(digests.iter().all(|digest| !matches!(runs.find(digest), Ok(None))));
    assert!(digests[416..].iter().any(|digest| runs.find(digest).is_err_and(|error| error.is_damage())));

    let renamed = disk.fork();
    renamed.rename(&path, &Path::new(DIR).join("0000000000000001-00000000000000ff.run")).unwrap();
    assert_eq!(Shelf::open(&renamed, Path::new(DIR), options(), 416).unwrap().covered_through, 0);

    let foreign = Options { identity: [8; 32], ..options() };
    assert_eq!(Shelf::open(&disk.fork(), Path::new(DIR), foreign, 416).unwrap().covered_through, 0);
}

#[test]
fn a_failing_read_is_an_error_and_never_not_found() {
    let (disk, digests) = filled(416);
    let runs = Shelf::open(&disk, Path::new(DIR), options(), 416).unwrap().shelf.runs();
    let mut found = Vec::new();
    for nth in [0, 1, 200, 415] {
        disk.plan(Fault { call: Call::Read, nth, errno: Errno::Io, sticky: false });
        let error = runs.find_batch(&digests, &mut found).unwrap_err();
        assert!(matches!(error, KeysError::Io { .. }));
    }
    disk.plan(Fault { call: Call::Read, nth: 0, errno: Errno::Io, sticky: true });
    assert!(
        Shelf::open(&disk, Path::new(DIR), options(), 416).is_err(),
        "an error of the disk decides nothing"
    );
    disk.heal();
    assert_eq!(Shelf::open(&disk, Path::new(DIR), options(), 416).unwrap().covered_through, 416);
}

#[test]
fn a_damaged_run_in_the_middle_uncovers_everything_behind_it() {
    let (disk, _) = filled(3 * 416);
    let paths = runs_on(&disk);
    assert_eq!(paths.len(), 3);
    disk.tamper(&paths[1], |bytes| bytes[100] ^= 1).unwrap();
    let opened = Shelf::open(&disk, Path::new(DIR), options(), 3 * 416).unwrap();
    assert_eq!(opened.covered_through, 416);
    assert!(matches!(opened.discarded[0].why, Reason::Damaged(_)));
    assert_eq!(opened.discarded[1].why, Reason::BehindGap);
    assert_eq!(runs_on(&disk), paths[..1]);
}

#[test]
fn a_damaged_merge_falls_back_to_its_inputs() {
    let (disk, _) = filled(3 * 416);
    let inputs: Vec<(PathBuf, Vec<u8>)> =
        runs_on(&disk).into_iter().map(|path| (path.clone(), disk.contents(&path).unwrap())).collect();
    let (disk, digests) = filled(4 * 416);
    let merged = runs_on(&disk).pop().unwrap();
    for (path, bytes) in inputs {
        disk.create_new(&path).unwrap();
        disk.tamper(&path, |file| *file = bytes).unwrap();
    }
    let sound = Shelf::open(&disk.fork(), Path::new(DIR), options(), 4 * 416).unwrap();
    assert_eq!(sound.covered_through, 4 * 416);
    assert!(sound.discarded.len() == 3 && sound.discarded.iter().all(|it| it.why == Reason::Covered));

    disk.tamper(&merged, |bytes| bytes[0] ^= 1).unwrap();
    let opened = Shelf::open(&disk, Path::new(DIR), options(), 4 * 416).unwrap();
    assert_eq!(opened.covered_through, 3 * 416);
    let runs = opened.shelf.runs();
    assert_eq!(runs.find(&digests[1000]).unwrap(), Some(1001));
}

#[test]
fn merging_never_launders_a_damaged_block_and_a_condemned_run_is_rebuilt() {
    let (disk, _) = filled(3 * 416);
    let bad = runs_on(&disk).remove(1);
    disk.tamper(&bad, |bytes| bytes[5000] ^= 1).unwrap();
    let opened = Shelf::open(&disk, Path::new(DIR), options(), 3 * 416).unwrap();
    let (mut recent, mut filer) =
        (Recent::new(&opened.shelf), Filer::new(&disk, Path::new(DIR), &opened.shelf));
    let mut rng = SmallRng::seed_from_u64(9);
    for sequence in opened.covered_through + 1..=4 * 416 {
        recent.insert(Digest::new(rng.random()), sequence);
        if sequence % 16 == 0 {
            recent.end_of_batch(sequence);
        }
    }
    let error = (0..10).find_map(|_| filer.step(4 * 416).err()).expect("the merge reads the bad block");
    let KeysError::Damaged { path, .. } = &error else { panic!("{error}") };
    assert_eq!(*path, bad);
    assert_eq!(opened.shelf.status().runs, 4, "the inputs serve on");
    assert!(opened.shelf.status().last_error.unwrap().contains("checksum"));

    condemn(&disk, path).unwrap();
    let opened = Shelf::open(&disk, Path::new(DIR), options(), 4 * 416).unwrap();
    assert_eq!(opened.covered_through, 416);
    assert_eq!(runs_on(&disk).len(), 2, "the first run and the evidence");
}
