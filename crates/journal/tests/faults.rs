//! A disk that refuses: every kind of call, the first to the last of them, with an I/O error and with "no space".

mod common;

use common::*;
use journal::disk::SimDisk;
use journal::disk::fault::{Call, Errno, Fault, Survival};
use journal::{AppendError, Folder, OpenError, ReadError, Snapshots, verify};

/// Appends until something fails; what was acknowledged, and whether the journal called itself poisoned.
fn run(disk: &SimDisk) -> (u64, u64, bool) {
    let (mut acknowledged, mut sent) = (0, 0);
    let Ok(mut journal) = create(disk, tiny()) else { return (0, 0, false) };
    for size in [1, 30, 60, 60, 2, 60, 9] {
        sent = acknowledged + size;
        match journal.appender.append(&mut batch(acknowledged + 1, size)) {
            Ok(head) => acknowledged = head.sequence,
            Err(AppendError::Poisoned { .. }) => {
                assert!(journal.reader.poisoned());
                // Never again a positive answer, though the disk is well now.
                let again = journal.appender.append(&mut batch(acknowledged + 1, 1));
                assert!(matches!(again, Err(AppendError::Poisoned { .. })));
                assert!(journal.appender.confirm().is_err());
                assert_eq!(journal.reader.durable(), acknowledged);
                return (acknowledged, sent, true);
            }
            Err(AppendError::Full(_)) => {
                // Nothing was written: once there is room the same batch goes through.
                journal.appender.maintain();
                let head = journal.appender.append(&mut batch(acknowledged + 1, size)).expect("room again");
                acknowledged = head.sequence;
            }
            Err(other) => panic!("{other}"),
        }
    }
    (acknowledged, sent, false)
}

#[test]
fn no_failed_call_is_ever_followed_by_a_positive_answer_that_is_lost() {
    let healthy = SimDisk::new();
    run(&healthy);
    for call in Call::ALL {
        for errno in [Errno::Io, Errno::NoSpace, Errno::Eof] {
            for nth in 0..healthy.calls(call) {
                let disk = SimDisk::new();
                disk.plan(Fault { call, nth, errno, sticky: false });
                let (acknowledged, sent, poisoned) = run(&disk);
                let leftovers =
                    [disk.fork(), disk.crash(Survival::Nothing), disk.crash(Survival::Subset(nth))];
                for left in leftovers {
                    if !Folder::is_journal(&left, dir()) {
                        assert_eq!(acknowledged, 0);
                        create(&left, tiny()).expect("creation can be finished");
                        continue;
                    }
                    let (journal, recovery) = reopen(&left, tiny()).expect("reopening is fine");
                    let found = recovery.head.sequence;
                    assert!(acknowledged <= found && found <= sent, "{call:?} {nth} {errno:?} {poisoned}");
                    read_all(&journal);
                    // And what it shows now is durable, though a failed sync may have left it in the cache only.
                    let (_, again) = reopen(&left.crash(Survival::Nothing), tiny()).expect("opens again");
                    assert_eq!(again.head, recovery.head);
                }
            }
        }
    }
}

#[test]
fn opening_with_any_failing_call_is_an_error_and_opening_again_is_fine() {
    let (disk, last) = sample(&[1, 30, 60, 60, 2, 60, 9]);
    for call in Call::ALL {
        for errno in [Errno::Io, Errno::NoSpace, Errno::Eof] {
            let counted = disk.fork();
            let before = counted.calls(call);
            drop(reopen(&counted, tiny()).unwrap());
            for nth in 0..counted.calls(call) - before {
                let failing = disk.fork();
                failing.plan(Fault { call, nth, errno, sticky: false });
                match reopen(&failing, tiny()) {
                    // What only makes the next start quicker, or room ahead, may fail.
                    Ok((journal, recovery)) => {
                        assert_eq!(recovery.head.sequence, last);
                        drop(journal);
                    }
                    Err(OpenError::Io { .. } | OpenError::NoSpace { .. }) => {}
                    Err(other) => panic!("{call:?} {nth} {errno:?}: {other}"),
                }
                failing.heal();
                assert_eq!(reopen(&failing, tiny()).expect("fine").1.head.sequence, last);
            }
        }
    }
}

#[test]
fn a_failed_read_is_an_error_and_passes() {
    let (disk, last) = sample(&[1, 30, 60, 60]);
    let (journal, _) = reopen(&disk, tiny()).unwrap();
    for errno in [Errno::Io, Errno::Eof] {
        disk.plan(Fault { call: Call::Read, nth: 0, errno, sticky: false });
        assert!(matches!(journal.reader.record(last), Err(ReadError::Io { .. })));
        disk.plan(Fault { call: Call::Read, nth: 0, errno, sticky: false });
        let mut scan = journal.reader.scan(1);
        assert!(matches!(scan.next(), Some(Err(ReadError::Io { .. }))));
        assert!(scan.next().is_none(), "an iterator ends after its error");
        read_all(&journal);
    }
}

#[test]
fn verify_reports_a_failing_disk_as_such() {
    let (disk, _) = sample(&[1, 30]);
    disk.plan(Fault { call: Call::Read, nth: 5, errno: Errno::Io, sticky: true });
    let report = verify(&disk, dir(), &mut |_| (), &mut |_, _| ());
    assert!(matches!(report, Err(OpenError::Io { .. })));
}

#[test]
fn a_snapshot_that_fails_to_be_written_leaves_the_previous_one() {
    let (disk, last) = sample(&[20]);
    let heads = heads(last);
    let put = |disk: &SimDisk, head: journal::Head| {
        Snapshots::write(disk, dir(), head, |to| to.write_all(&[9; 3000]))
    };
    put(&disk, heads[10]).unwrap();
    for call in [Call::Write, Call::Sync, Call::SyncDir, Call::Create, Call::Rename, Call::List] {
        for nth in 0..4 {
            let failing = disk.fork();
            failing.plan(Fault { call, nth, errno: Errno::NoSpace, sticky: true });
            let failed = put(&failing, heads[20]).is_err();
            failing.heal();
            let found = Snapshots::newest_valid(&failing.crash(Survival::Nothing), dir()).unwrap().unwrap();
            if !failed {
                assert_eq!(found.head(), heads[20]);
            } else {
                assert_eq!(found.head(), heads[10], "{call:?} {nth}");
                put(&failing, heads[20]).expect("works once the disk does");
            }
        }
    }
}
