//! Starting from a snapshot: only what came after it is replayed, old segments are not read, and a snapshot that is
//! damaged or foreign is never believed.

mod common;

use common::*;
use journal::disk::SimDisk;
use journal::{Folder, Head, OpenError, Snapshots};
use std::io::Read;

const SIZES: [u64; 12] = [5, 60, 60, 60, 5, 17, 60, 60, 1, 60, 60, 3];

#[test]
fn any_head_of_the_chain_can_be_started_from() {
    let (disk, last) = sample(&SIZES);
    let heads = heads(last);
    drop(reopen(&disk, tiny()).unwrap());
    for head in &heads {
        let (journal, recovery) = reopen_after(&disk, tiny(), Some(*head)).unwrap();
        assert_eq!(recovery.replayed, last - head.sequence);
        assert_eq!(recovery.head, heads[last as usize]);
        if head.sequence % 50 == 0 {
            read_all(&journal);
        }
    }
}

#[test]
fn segments_below_the_snapshot_are_known_from_their_sidecars() {
    let (disk, last) = sample(&SIZES);
    let heads = heads(last);
    let (journal, first) = reopen(&disk, tiny()).unwrap();
    assert!(first.segments_read > 5);
    drop(journal);
    let (journal, second) = reopen_after(&disk, tiny(), Some(heads[last as usize - 2])).unwrap();
    assert_eq!(second.segments_read, 1);
    read_all(&journal);
}

#[test]
fn a_damaged_or_missing_sidecar_is_rebuilt() {
    let (disk, last) = sample(&SIZES);
    let heads = heads(last);
    let head = heads[last as usize - 1];
    drop(reopen(&disk, tiny()).unwrap());
    let sidecar = dir().join("journal/000000000002.idx");
    let whole = disk.contents(&sidecar).unwrap();
    for byte in 0..whole.len() {
        let damaged = disk.fork();
        damaged.tamper(&sidecar, |bytes| bytes[byte] ^= 0x10).unwrap();
        let (journal, recovery) = reopen_after(&damaged, tiny(), Some(head)).unwrap();
        assert_eq!(recovery.segments_read, 2, "byte {byte}");
        read_all(&journal);
        assert_eq!(damaged.contents(&sidecar).unwrap(), whole);
    }
}

#[test]
fn a_head_that_the_chain_does_not_pass_through_is_refused() {
    let (disk, last) = sample(&SIZES);
    let heads = heads(last);
    drop(reopen(&disk, tiny()).unwrap());
    for sequence in 0..=last {
        let head = Head { sequence, hash: heads[(sequence as usize + 1) % heads.len()].hash };
        let opened = Folder::open(disk.clone(), dir(), tiny()).unwrap().recover(Some(head), &mut |_| ());
        match opened {
            Err(OpenError::SnapshotMismatch { sequence: named }) => assert_eq!(named, sequence),
            _ => panic!("a foreign head at {sequence} was believed"),
        }
    }
    let beyond = Head { sequence: last + 1, hash: [0; 32] };
    let opened = Folder::open(disk, dir(), tiny()).unwrap().recover(Some(beyond), &mut |_| ());
    assert!(matches!(opened, Err(OpenError::Damage(_))));
}

#[test]
fn a_snapshot_comes_back_as_it_was_written_and_two_are_kept() {
    let (disk, last) = sample(&[50]);
    let heads = heads(last);
    let content = |seed: usize| (0..2_500_000).map(|n| (n * 31 + seed) as u8).collect::<Vec<_>>();
    assert!(Snapshots::newest_valid(&disk, dir()).unwrap().is_none());
    for sequence in [10, 20, 30] {
        Snapshots::write(&disk, dir(), heads[sequence], |to| to.write_all(&content(sequence))).unwrap();
    }
    let kept = disk.paths().into_iter().filter(|path| path.extension().is_some_and(|e| e == "snap")).count();
    assert_eq!(kept, 2);
    let mut snapshot = Snapshots::newest_valid(&disk, dir()).unwrap().unwrap();
    assert_eq!(snapshot.head(), heads[30]);
    let mut read = Vec::new();
    snapshot.read_to_end(&mut read).unwrap();
    assert!(read == content(30));
    let older = Snapshots::newest_valid_below(&disk, dir(), 30).unwrap().unwrap();
    assert_eq!(older.head(), heads[20]);
}

#[test]
fn every_damaged_byte_makes_a_snapshot_pass_over_to_the_previous_one() {
    let disk = SimDisk::new();
    drop(create(&disk, tiny()).unwrap());
    let heads = heads(2);
    Snapshots::write(&disk, dir(), heads[1], |to| to.write_all(b"the older one")).unwrap();
    let path = Snapshots::write(&disk, dir(), heads[2], |to| to.write_all(b"the newer one")).unwrap();
    let length = disk.contents(&path).unwrap().len();
    for bit in 0..length * 8 {
        let damaged = disk.fork();
        damaged.tamper(&path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
        let found = Snapshots::newest_valid(&damaged, dir()).unwrap().unwrap();
        assert_eq!(found.head(), heads[1], "bit {bit}");
    }
    for kept in 0..length {
        let cut = disk.fork();
        cut.tamper(&path, |bytes| bytes.truncate(kept)).unwrap();
        assert_eq!(Snapshots::newest_valid(&cut, dir()).unwrap().unwrap().head(), heads[1]);
    }
}
