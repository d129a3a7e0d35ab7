//! Bits that change on the disk: found and named, or harmless; never another record, never a silent loss.

mod common;

use common::*;
use journal::disk::SimDisk;
use journal::{Damage, Folder, OpenError, ReadError, verify};
use std::path::PathBuf;

fn segment(number: u64) -> PathBuf {
    dir().join("journal").join(format!("{number:012}.seg"))
}

fn flip(disk: &SimDisk, path: &std::path::Path, bit: usize) {
    disk.tamper(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8)).unwrap();
}

/// Opens and checks every record; the last sequence, or where the damage is.
fn open(disk: &SimDisk) -> Result<u64, Damage> {
    let (journal, recovery) = match reopen(disk, tiny()) {
        Ok(opened) => opened,
        Err(OpenError::Damage(damage)) => return Err(damage),
        Err(other) => panic!("{other}"),
    };
    read_all(&journal);
    Ok(recovery.head.sequence)
}

#[test]
fn every_single_bit_of_a_confirmed_journal_is_refused_or_harmless() {
    let (disk, last) = sample(&[2, 1, 3]);
    let end = 4096 * 5;
    let mut refused = 0;
    for bit in 0..end * 8 {
        let flipped = disk.fork();
        flip(&flipped, &segment(1), bit);
        match open(&flipped) {
            Ok(found) => assert_eq!(found, last, "bit {bit} lost acknowledged records"),
            Err(damage) => {
                refused += 1;
                assert_eq!(damage.segment, 1);
                assert!(damage.offset / 4096 == bit as u64 / 8 / 4096, "bit {bit} reported at {damage}");
            }
        }
    }
    // Segment header 64 bytes, three frames with 15 records' slots and their headers; the rest is padding or the
    // confirming frame.
    let slots: usize = (1..=6).map(|sequence: usize| sequence % 6 + 1).sum();
    assert_eq!(refused, (64 + 3 * 128 + slots * 64) * 8);
}

#[test]
fn every_single_bit_of_an_unconfirmed_last_frame_cuts_it_whole_or_is_harmless() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    journal.appender.append(&mut batch(1, 2)).unwrap();
    journal.appender.append(&mut batch(3, 3)).unwrap();
    drop(journal);
    for bit in 4096 * 2 * 8..4096 * 3 * 8 {
        let flipped = disk.fork();
        flip(&flipped, &segment(1), bit);
        match open(&flipped) {
            Ok(found) => assert!(matches!(found, 2 | 5)),
            Err(damage) => panic!("bit {bit}: {damage}"),
        }
    }
}

#[test]
fn a_reader_never_serves_a_flipped_bit() {
    let (disk, last) = sample(&[4, 30, 1, 20]);
    let (journal, _) = reopen(&disk, tiny()).unwrap();
    for bit in (4096 * 8..4096 * 8 * 5).step_by(11) {
        flip(&disk, &segment(1), bit);
        for sequence in (1..=last).step_by(3) {
            match journal.reader.record(sequence) {
                Ok(record) => assert_is(record.expect("durable").as_record(), sequence),
                Err(ReadError::Damage(damage)) => assert_eq!(damage.segment, 1),
                Err(other) => panic!("{other}"),
            }
        }
        for (record, sequence) in journal.reader.scan(1).zip(1..) {
            let Ok(record) = record else { break };
            assert_is(record.as_record(), sequence);
        }
        flip(&disk, &segment(1), bit);
    }
    read_all(&journal);
}

#[test]
fn damage_in_the_last_acknowledged_frame_refuses_the_start_and_names_the_place() {
    let (disk, _) = sample(&[2, 3, 4]);
    // Frames stand at 4096, 8192 and 12288; sequence 6 begins the third.
    flip(&disk, &segment(1), (12288 + 128 + 40) * 8);
    let damage = open(&disk).unwrap_err();
    assert_eq!((damage.segment, damage.offset, damage.sequence), (1, 12288, 6));
    let text = Folder::open(disk.clone(), dir(), tiny()).unwrap().recover(None, &mut |_| ());
    let text = text.err().expect("refused").to_string();
    assert!(text.contains("segment 1, offset 12288, sequence 6"), "{text}");
    let report = verify(&disk, dir(), &mut |_| (), &mut |_, _| ()).unwrap();
    assert_eq!(report.damage.map(|damage| (damage.segment, damage.offset)), Some((1, 12288)));
}

#[test]
fn damage_refuses_the_start_and_leaves_the_disk_as_it_was() {
    let (disk, _) = sample(&[5, 60, 60, 60, 5]);
    flip(&disk, &segment(2), 4096 * 8 + 77);
    let before = disk.changes();
    assert_eq!(open(&disk).unwrap_err().segment, 2);
    assert_eq!(disk.changes(), before);
}

#[test]
fn a_lost_segment_or_a_wiped_frame_is_damage() {
    let (disk, _) = sample(&[5, 60, 60, 60, 5]);
    let wiped = disk.fork();
    wiped.tamper(&segment(2), |bytes| bytes[4096..].fill(0)).unwrap();
    assert_eq!(open(&wiped).unwrap_err().segment, 2);
    let cut = disk.fork();
    cut.tamper(&segment(1), |bytes| bytes.truncate(8192)).unwrap();
    assert_eq!(open(&cut).unwrap_err().segment, 1);
    for number in 1..=3 {
        let lost = disk.fork();
        journal::disk::Disk::remove(&lost, &segment(number)).unwrap();
        assert!(open(&lost).is_err(), "segment {number}");
        let report = verify(&lost, dir(), &mut |_| (), &mut |_, _| ()).unwrap();
        assert!(report.damage.is_some());
    }
}

#[test]
fn verify_names_every_bit_that_a_start_refuses() {
    let (disk, _) = sample(&[2, 1, 3]);
    for bit in (0..4096 * 8 * 5).step_by(5) {
        let flipped = disk.fork();
        flip(&flipped, &segment(1), bit);
        let report = verify(&flipped, dir(), &mut |_| (), &mut |_, _| ()).unwrap();
        assert_eq!(report.damage.is_some(), open(&flipped).is_err(), "bit {bit}: {report:?}");
    }
}

#[test]
fn a_damaged_or_newer_identity_is_told_apart() {
    let (disk, _) = sample(&[2]);
    let identity = dir().join("IDENTITY");
    let length = disk.contents(&identity).unwrap().len();
    for bit in 0..length * 8 {
        let flipped = disk.fork();
        flip(&flipped, &identity, bit);
        let opened = Folder::open(flipped, dir(), tiny());
        assert!(matches!(opened, Err(OpenError::IdentityDamaged { .. })), "bit {bit}");
    }
    let newer = disk.fork();
    let text = "format = 2\nbank = 30313233343536373839616263646566\ntimeline = 1\n";
    let text = format!("{text}check = {:08x}\n", crc32c::crc32c(text.as_bytes()));
    newer.tamper(&identity, |bytes| *bytes = text.into_bytes()).unwrap();
    assert!(matches!(Folder::open(newer, dir(), tiny()), Err(OpenError::OtherVersion { found: 2 })));
}
