//! The walk over a folder in which somebody is writing: what arrives meanwhile is no damage.

mod common;

use common::*;
use journal::{Folder, verify};

/// Writes `more` frames while the walk stands at record `when`, of twelve in two segments.
///
/// The walk reads ahead, so it takes the places of these frames for empty, and then finds frames behind them. And it
/// lists the folder once: a walk of minutes met segments that were made after it had begun, and called them missing.
#[test]
fn frames_and_segments_that_arrive_during_the_walk_are_no_damage() {
    for when in 1..=12 {
        for more in [1, 2, 9, 60] {
            let (disk, last) = sample(&[1; 12]);
            let (mut journal, _) =
                Folder::open(disk.clone(), dir(), tiny()).unwrap().recover(None, &mut |_| ()).unwrap();
            let mut seen = 0;
            let mut each = |record: journal::Record<'_>| {
                seen += 1;
                assert_is(record, seen);
                if seen == when {
                    for next in last + 1..=last + more {
                        journal.appender.append(&mut batch(next, 1)).unwrap();
                    }
                }
            };
            let report = verify(&disk, dir(), &mut each, &mut |_, _| ()).unwrap();
            assert_eq!(report.damage, None, "{more} frames at record {when}");
            assert!(report.head.sequence >= last && report.head == heads(last + more)[seen as usize]);
            assert_eq!(report.sidecars.wrong, [0; 0]);
            drop(journal);
            let report = verify(&disk, dir(), &mut |_| (), &mut |_, _| ()).unwrap();
            assert_eq!((report.head, report.in_use), (heads(last + more)[(last + more) as usize], false));
        }
    }
}

/// A bad frame with later ones behind it stays what it is, however often one looks.
#[test]
fn damage_in_a_folder_in_use_is_still_damage() {
    let (disk, last) = sample(&[1; 12]);
    let (mut journal, _) =
        Folder::open(disk.clone(), dir(), tiny()).unwrap().recover(None, &mut |_| ()).unwrap();
    let first = dir().join("journal/000000000001.seg");
    disk.tamper(&first, |bytes| bytes[3 * 4096 + 200] ^= 1).unwrap();
    let mut each = |record: journal::Record<'_>| {
        if record.sequence() == 1 {
            journal.appender.append(&mut batch(last + 1, 1)).unwrap();
        }
    };
    let report = verify(&disk, dir(), &mut each, &mut |_, _| ()).unwrap();
    let damage = report.damage.expect("found");
    assert_eq!((damage.segment, damage.offset, damage.sequence), (1, 3 * 4096, 3));
    assert!(!report.in_use);
}
