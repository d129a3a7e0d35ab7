//! A bank was killed after the sync of an *empty* frame had failed, started again, and worked on. The frame was in the
//! page cache, so the start saw it, took it for durable and put the next frames behind it; only a last frame with
//! records was written again. Then the power went. The empty frame was gone, the ones behind it were not: a hole,
//! which is damage, and the bank refused to open with every acknowledged record on its disk. (A simulation found it.)

mod common;

use common::*;
use journal::disk::fault::{Call, Errno, Fault, Survival};

#[test]
fn a_confirmation_that_only_the_cache_has_seen_leaves_no_hole() {
    let disk = journal::disk::SimDisk::new();
    let mut journal = create(&disk, tiny()).expect("created");
    journal.appender.append(&mut batch(1, 3)).expect("appended");
    disk.plan(Fault { call: Call::Sync, nth: 0, errno: Errno::Io, sticky: false });
    assert!(journal.appender.confirm().is_err());
    drop(journal);

    let killed = disk.fork();
    let (mut journal, recovery) = reopen(&killed, tiny()).expect("the machine lived on");
    assert_eq!(recovery.head.sequence, 3);
    journal.appender.append(&mut batch(4, 2)).expect("appended");
    drop(journal);

    for survival in [Survival::Nothing, Survival::All] {
        let (journal, recovery) = reopen(&killed.crash(survival), tiny()).expect("no damage");
        assert_eq!(recovery.head.sequence, 5, "every acknowledged record");
        read_all(&journal);
    }
}
