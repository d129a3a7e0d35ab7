//! What the journal does when nothing goes wrong.

mod common;

use common::*;
use journal::disk::{OsDisk, SimDisk};
use journal::{AppendError, Batch, Folder, OpenError, Options, verify};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn what_was_appended_is_read_back_by_sequence_and_in_order() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    let heads = heads(2000);
    let mut next = 1;
    for size in (1..=40).cycle().take(90) {
        let head = journal.appender.append(&mut batch(next, size)).unwrap();
        next += size;
        assert_eq!(head, heads[next as usize - 1]);
        if size % 7 == 0 {
            journal.appender.confirm().unwrap();
        }
    }
    assert!(journal.reader.segments().iter().filter(|segment| !segment.spare).count() > 5);
    read_all(&journal);
    drop(journal);
    let (journal, recovery) = reopen(&disk, tiny()).unwrap();
    assert_eq!(recovery.head, heads[next as usize - 1]);
    assert_eq!(recovery.cut, None);
    read_all(&journal);
}

#[test]
fn a_batch_shows_its_records_before_and_after_it_is_durable() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    let mut batch = Batch::new();
    let places: Vec<u32> = (1..=5).map(|n| batch.push(|bytes| write_record(bytes, n))).collect();
    assert_is(batch.record(places[3]), 4);
    let bytes = batch.bytes();
    journal.appender.append(&mut batch).unwrap();
    assert_eq!(batch.bytes(), bytes);
    assert_is(batch.record(places[3]), 4);
    assert_eq!(batch.records().count(), 5);
    batch.clear();
    assert!(batch.is_empty());
    assert_eq!(journal.appender.append(&mut batch).unwrap().sequence, 5);
}

#[test]
fn a_record_with_a_wrong_sequence_is_refused_and_nothing_is_written() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    let changes = disk.changes();
    let refused = journal.appender.append(&mut batch(2, 1));
    assert!(matches!(refused, Err(AppendError::Sequence { expected: 1, found: 2 })));
    let refused = journal.appender.append(&mut batch(1, 200));
    assert!(matches!(refused, Err(AppendError::TooLarge { .. })));
    assert_eq!(disk.changes(), changes);
    journal.appender.append(&mut batch(1, 3)).unwrap();
}

#[test]
fn confirming_twice_writes_once() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    journal.appender.confirm().unwrap();
    journal.appender.append(&mut batch(1, 3)).unwrap();
    journal.appender.confirm().unwrap();
    let changes = disk.changes();
    journal.appender.confirm().unwrap();
    assert_eq!(disk.changes(), changes);
}

#[test]
fn readers_are_told_of_each_new_watermark() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    let told = Arc::new(AtomicU64::new(0));
    let to_tell = Arc::clone(&told);
    journal.reader.on_durable(Box::new(move |sequence| to_tell.store(sequence, Ordering::SeqCst)));
    let reader = journal.reader.clone();
    let waiting = std::thread::spawn(move || reader.wait(4, Duration::from_secs(20)));
    journal.appender.append(&mut batch(1, 4)).unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 4);
    journal.appender.append(&mut batch(5, 2)).unwrap();
    assert_eq!(waiting.join().unwrap(), 6);
    assert_eq!(journal.reader.wait(6, Duration::ZERO), 6);
}

#[test]
fn a_scan_may_begin_and_end_anywhere() {
    let (disk, last) = sample(&[5, 1, 1, 40, 3, 70, 17, 2, 2, 2, 33]);
    let (journal, _) = reopen(&disk, tiny()).unwrap();
    for from in 0..=last + 1 {
        let seen: Vec<u64> = journal.reader.scan(from).map(|record| record.unwrap().sequence()).collect();
        assert_eq!(seen, (from.max(1)..=last).collect::<Vec<_>>());
    }
    let mut seen = Vec::new();
    let take_ten = |record: journal::Record<'_>| {
        seen.push(record.sequence());
        if seen.len() == 10 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    journal.reader.for_each(20, last, take_ten).unwrap();
    assert_eq!(seen, (20..30).collect::<Vec<_>>());
}

#[test]
fn a_folder_with_other_files_becomes_a_journal_and_a_journal_never_a_new_one() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("bank.db"), b"others").unwrap();
    let options = Options { background: false, ..tiny() };
    assert!(!Folder::is_journal(&OsDisk, home.path()));
    let missing = Folder::open(OsDisk, home.path(), options);
    assert!(matches!(missing, Err(OpenError::NotABank { .. })));
    drop(Folder::create(OsDisk, home.path(), identity(), options).unwrap());
    assert!(Folder::is_journal(&OsDisk, home.path()));
    let again = Folder::create(OsDisk, home.path(), identity(), options);
    assert!(matches!(again, Err(OpenError::Exists { .. })));

    // A bank that lost its IDENTITY is not a new one.
    let (mut journal, _) =
        Folder::open(OsDisk, home.path(), options).unwrap().recover(None, &mut |_| ()).unwrap();
    journal.appender.append(&mut batch(1, 3)).unwrap();
    drop(journal);
    std::fs::remove_file(home.path().join("IDENTITY")).unwrap();
    let again = Folder::create(OsDisk, home.path(), identity(), options);
    assert!(matches!(again, Err(OpenError::Exists { .. })));
}

#[test]
fn a_folder_is_held_by_one_process() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::create(OsDisk, home.path(), identity(), tiny()).unwrap();
    assert!(matches!(Folder::open(OsDisk, home.path(), tiny()), Err(OpenError::Locked { .. })));
    let (journal, _) = folder.recover(None, &mut |_| ()).unwrap();
    assert!(matches!(Folder::open(OsDisk, home.path(), tiny()), Err(OpenError::Locked { .. })));
    // A reader left over does not keep the folder.
    let reader = journal.reader.clone();
    drop(journal);
    Folder::open(OsDisk, home.path(), tiny()).unwrap();
    assert_eq!(reader.durable(), 0);
}

#[test]
fn with_its_thread_the_journal_rolls_and_comes_back_on_a_real_disk() {
    let home = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes: 1 << 20, background: true, ..tiny() };
    let folder = Folder::create(OsDisk, home.path(), identity(), options).unwrap();
    let (mut journal, _) = folder.recover(None, &mut |_| ()).unwrap();
    let mut next = 1;
    for _ in 0..400 {
        journal.appender.append(&mut batch(next, 60)).unwrap();
        next += 60;
    }
    journal.appender.confirm().unwrap();
    let last = next - 1;
    for sequence in (1..=last).step_by(97) {
        assert_is(journal.reader.record(sequence).unwrap().unwrap().as_record(), sequence);
    }
    drop(journal);
    let report = verify(&OsDisk, home.path(), &mut |_| (), &mut |_, _| ()).unwrap();
    assert_eq!((report.records, report.damage, report.tail), (last, None, None));
    assert!(report.confirmed && report.segments > 3);
    let mut replayed = 0;
    let folder = Folder::open(OsDisk, home.path(), options).unwrap();
    let (_journal, recovery) = folder.recover(None, &mut |_| replayed += 1).unwrap();
    assert_eq!((replayed, recovery.head), (last, report.head));
}
