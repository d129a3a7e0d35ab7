//! Crash consistency by construction: a scripted run is stopped at every call that changes the disk, and of what was
//! written but not synced nothing, each prefix, all, or an arbitrary subset survives. Whatever is left must open, hold
//! everything acknowledged and nothing that was not sent, and go on.

mod common;

use common::*;
use journal::disk::SimDisk;
use journal::disk::fault::Survival;
use journal::{AppendError, Folder, Journal, OpenError, verify};

/// What a run had told the world when it died.
#[derive(Default, Clone, Copy, Debug)]
struct Told {
    created: bool,
    acknowledged: u64,
    sent: u64,
}

const SIZES: [u64; 14] = [1, 3, 1, 40, 2, 60, 1, 1, 17, 55, 16, 4, 70, 5];

fn append(journal: &mut Journal<SimDisk>, told: &mut Told, size: u64) -> Result<(), AppendError> {
    let first = journal.appender.head().sequence + 1;
    told.sent = told.sent.max(first + size - 1);
    journal.appender.append(&mut batch(first, size))?;
    told.acknowledged = journal.appender.head().sequence;
    Ok(())
}

/// Create, append in frames of many sizes over several segments, confirm at times, stop and start again half-way.
fn script(disk: &SimDisk, told: &mut Told) -> Option<()> {
    let mut journal = create(disk, tiny()).ok()?;
    told.created = true;
    for (place, size) in SIZES.iter().enumerate() {
        append(&mut journal, told, *size).ok()?;
        if place % 4 == 1 {
            journal.appender.confirm().ok()?;
        }
        if place == 8 {
            drop(journal);
            journal = reopen(disk, tiny()).ok()?.0;
        }
    }
    journal.appender.confirm().ok()?;
    journal.appender.maintain();
    Some(())
}

/// Opens what a crash left, twice, with another crash in between, and goes on.
fn check(disk: &SimDisk, told: Told, heads: &[journal::Head]) {
    if !Folder::is_journal(disk, dir()) {
        assert!(!told.created, "a bank that was created is gone");
        let mut journal = create(disk, tiny()).expect("creation can be finished");
        journal.appender.append(&mut batch(1, 3)).expect("and used");
        return;
    }
    let (journal, first) = reopen(disk, tiny()).expect("opens");
    assert!(told.acknowledged <= first.head.sequence, "lost {told:?}, found {first:?}");
    assert!(first.head.sequence <= told.sent, "invented {told:?}, found {first:?}");
    assert_eq!(first.head, heads[first.head.sequence as usize], "the chain is another one");

    // What was shown survives losing power right after.
    let after = disk.crash(Survival::Nothing);
    drop(journal);
    let (mut journal, second) = reopen(&after, tiny()).expect("opens again");
    assert_eq!(second.head, first.head);
    assert_eq!(second.cut, None, "the tail was mended");

    let mut told = Told { created: true, acknowledged: second.head.sequence, sent: second.head.sequence };
    for size in [1, 50, 60, 2] {
        append(&mut journal, &mut told, size).expect("goes on");
    }
    read_all(&journal);
    let report = verify(&after, dir(), &mut |_| (), &mut |_, _| ()).expect("walks");
    assert_eq!((report.damage, report.head.sequence), (None, told.acknowledged));
}

/// How many changing calls the whole script makes.
fn calls() -> u64 {
    let disk = SimDisk::new();
    script(&disk, &mut Told::default()).expect("runs through");
    disk.changes()
}

fn at_every_call(mut crash: impl FnMut(&SimDisk, Told, u64)) {
    for halt in 0..=calls() {
        let disk = SimDisk::new();
        disk.halt_at(halt);
        let mut told = Told::default();
        script(&disk, &mut told);
        crash(&disk, told, halt);
    }
}

#[test]
fn a_crash_at_any_call_keeps_what_was_acknowledged_whatever_prefix_survives() {
    let heads = heads(400);
    at_every_call(|disk, told, _| {
        let sectors = disk.unsynced_sectors();
        for survival in [Survival::Nothing, Survival::All] {
            check(&disk.crash(survival), told, &heads);
        }
        // Filling a spare leaves tens of sectors of zeros whose every prefix is the same case.
        let step = if sectors > 60 { 7 } else { 1 };
        for kept in (1..sectors).step_by(step) {
            check(&disk.crash(Survival::Sectors(kept)), told, &heads);
        }
    });
}

#[test]
fn a_crash_at_any_call_keeps_what_was_acknowledged_whatever_subset_survives() {
    let heads = heads(400);
    at_every_call(|disk, told, halt| {
        for seed in 0..8 {
            check(&disk.crash(Survival::Subset(halt << 8 | seed)), told, &heads);
        }
    });
}

/// Killing the process keeps the page cache; losing power later keeps only what the next start made durable.
#[test]
fn what_a_restarted_process_shows_survives_losing_power_then() {
    let heads = heads(400);
    at_every_call(|disk, told, _| {
        if told.created {
            check(&disk.fork(), told, &heads);
        }
    });
}

#[test]
fn a_crash_during_recovery_changes_nothing() {
    let heads = heads(400);
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    journal.appender.append(&mut batch(1, 20)).unwrap();
    journal.appender.append(&mut batch(21, 50)).unwrap();
    disk.halt_at(disk.changes() + 1);
    assert!(journal.appender.append(&mut batch(71, 30)).is_err());
    for seed in 0..40 {
        let torn = disk.crash(Survival::Subset(seed));
        for halt in 0.. {
            let again = torn.fork();
            let before = again.changes();
            again.halt_at(before + halt);
            let done = reopen(&again, tiny()).is_ok();
            for second in [Survival::Nothing, Survival::All, Survival::Subset(seed), Survival::Sectors(3)] {
                let told = Told { created: true, acknowledged: 70, sent: 100 };
                check(&again.crash(second), told, &heads);
            }
            if done {
                break;
            }
        }
    }
}

#[test]
fn the_last_frame_torn_at_any_byte_is_cut_or_kept_whole() {
    let heads = heads(60);
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    journal.appender.append(&mut batch(1, 9)).unwrap();
    disk.halt_at(disk.changes() + 1);
    assert!(matches!(journal.appender.append(&mut batch(10, 12)), Err(AppendError::Poisoned { .. })));
    for bytes in 0..=disk.unsynced_bytes() {
        let torn = disk.crash(Survival::Bytes(bytes));
        let (journal, recovery) = reopen(&torn, tiny()).expect("opens");
        assert!(matches!(recovery.head.sequence, 9 | 21), "half a frame: {recovery:?}");
        assert_eq!(recovery.head, heads[recovery.head.sequence as usize]);
        read_all(&journal);
    }
}

/// A second run goes on behind a torn frame whose records were never acknowledged; a third must not find them.
#[test]
fn bytes_of_a_cut_frame_are_never_taken_for_new_ones() {
    for seed in 0..60 {
        let disk = SimDisk::new();
        let mut journal = create(&disk, tiny()).unwrap();
        journal.appender.append(&mut batch(1, 9)).unwrap();
        disk.halt_at(disk.changes() + 1);
        assert!(journal.appender.append(&mut batch(10, 90)).is_err());
        let torn = disk.crash(Survival::Subset(seed));
        let (mut journal, first) = reopen(&torn, tiny()).unwrap();
        let next = first.head.sequence + 1;
        journal.appender.append(&mut batch(next, 1)).unwrap();
        drop(journal);
        let (_, second) = reopen(&torn.crash(Survival::Nothing), tiny()).unwrap();
        assert_eq!(second.head.sequence, next);
        assert_eq!(second.cut, None);
    }
}

#[test]
fn a_segment_of_another_bank_is_not_taken_in() {
    let (disk, _) = sample(&[5, 60, 60, 5]);
    let other = SimDisk::new();
    let identity = journal::Identity { bank: [9; 16], timeline: 1 };
    let folder = Folder::create(other.clone(), dir(), identity, tiny()).unwrap();
    drop(folder.recover(None, &mut |_| ()).unwrap());
    for name in ["000000000001.seg", "000000000002.seg"] {
        let path = dir().join("journal").join(name);
        let bytes = disk.contents(&path).unwrap();
        other.tamper(&path, |old| *old = bytes).unwrap();
    }
    let opened = Folder::open(other, dir(), tiny()).unwrap().recover(None, &mut |_| ());
    assert!(matches!(opened, Err(OpenError::Damage(_))));
}
