//! A disk that fills up: new work is turned away while there is still room for what is on its way, no write ever
//! fails, reads go on, and all is well once there is room again.

mod common;

use common::*;
use journal::disk::SimDisk;
use journal::disk::fault::{Call, Errno, Fault};
use journal::disk::{Disk, DiskFile};
use journal::{AppendError, Full, Options};
use std::path::Path;
use std::time::{Duration, Instant};

#[test]
fn new_work_is_refused_before_the_disk_is_full_and_accepted_when_it_is_not() {
    let disk = SimDisk::new();
    let options = Options { reserve_bytes: 16 << 10, ..tiny() };
    let mut journal = create(&disk, options).unwrap();
    disk.set_capacity(Some(disk.used() + (40 << 10)));
    let room = journal.appender.room();
    let mut next = 1;
    while room.ready().is_ok() {
        journal.appender.append(&mut batch(next, 60)).unwrap();
        next += 60;
        assert!(next < 5000, "a full disk goes unnoticed");
    }
    assert!(matches!(room.ready(), Err(Full::Reserve { .. })));
    // What was on its way when the last write ended, each of the largest size: one waiting, one being decided.
    for _ in 0..2 {
        journal.appender.append(&mut batch(next, 85)).unwrap();
        next += 85;
    }
    read_all(&journal);

    // Past that nothing fails either: it waits.
    let refused = loop {
        match journal.appender.append(&mut batch(next, 60)) {
            Ok(_) => next += 60,
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, AppendError::Full(Full::Reserve { .. })));
    assert!(!journal.reader.poisoned());
    read_all(&journal);

    disk.set_capacity(None);
    journal.appender.maintain();
    room.ready().expect("there is room again");
    journal.appender.append(&mut batch(next, 60)).unwrap();
    read_all(&journal);
}

#[test]
fn a_bank_on_a_full_disk_starts_and_serves_reads() {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).unwrap();
    disk.set_capacity(Some(disk.used()));
    let mut next = 1;
    while journal.appender.append(&mut batch(next, 60)).is_ok() {
        next += 60;
    }
    drop(journal);
    let (journal, recovery) = reopen(&disk, tiny()).unwrap();
    assert_eq!(recovery.head.sequence, next - 1);
    assert!(journal.appender.room().ready().is_err());
    read_all(&journal);
}

#[test]
fn the_background_thread_clears_the_refusal_by_itself() {
    let disk = SimDisk::new();
    let options = Options { background: true, ..tiny() };
    let mut journal = create(&disk, options).unwrap();
    let room = journal.appender.room();
    disk.plan(Fault { call: Call::Create, nth: 0, errno: Errno::NoSpace, sticky: true });
    let patience = Instant::now() + Duration::from_secs(20);
    let mut next = 1;
    while room.ready().is_ok() {
        assert!(Instant::now() < patience, "a full disk goes unnoticed");
        match journal.appender.append(&mut batch(next, 60)) {
            Ok(_) => next += 60,
            Err(AppendError::Full(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    disk.heal();
    let patience = Instant::now() + Duration::from_secs(20);
    while room.ready().is_err() {
        assert!(Instant::now() < patience, "the refusal stays");
        std::thread::sleep(Duration::from_millis(20));
    }
    journal.appender.append(&mut batch(next, 60)).unwrap();
    read_all(&journal);
}

/// The simulated disk once refused a write into what a file had already, because half of an earlier write had been
/// kept beyond the last free byte: a bank on it died of a fault that no disk has.
#[test]
fn a_full_disk_still_takes_what_needs_no_space() {
    let disk = SimDisk::new();
    let path = Path::new("file");
    let file = disk.create_new(path).unwrap();
    file.write_all_at(&[1; 100], 0).unwrap();
    disk.set_capacity(Some(disk.used() + 20));
    assert_eq!(file.write_all_at(&[2; 156], 100).unwrap_err().raw_os_error(), Some(28));
    file.write_all_at(&[3; 100], 0).unwrap();
}
