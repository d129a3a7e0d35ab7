//! What a move is refused for: each with its place and a remedy, and the target is left as it was.

use std::os::unix::fs::FileExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bank::moving::{self, Error, Home as House, Stage};
use sim::server::MariaDb;

use super::houses::{enter, furnish, furnish_as};
use super::{database, folder, migrate};

fn name(house: &House) -> String {
    let House::Database(settings) = house else { panic!("a database") };
    settings.url.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn a_damaged_folder_is_refused_with_the_place_of_the_damage() {
    let ((dir, from), to) = (folder(), database());
    furnish(&from, 300);
    let segment = dir.path().join("bank/journal/000000000001.seg");
    let segment = std::fs::File::options().read(true).write(true).open(segment).unwrap();
    let mut bytes = [0; 4_096];
    segment.read_exact_at(&mut bytes, 5 * 4_096).unwrap();
    // Within what a frame says, not in what fills up its last block.
    let at = bytes.iter().rposition(|byte| *byte != 0).expect("a frame");
    segment.write_all_at(&[bytes[at] ^ 1], 5 * 4_096 + at as u64).unwrap();
    let error = migrate(&from, &to).unwrap_err();
    assert!(matches!(&error, Error::Damaged { .. }), "{error}");
    let error = error.to_string();
    assert!(error.contains("segment 1, offset") && error.contains("; restore"), "{error}");
}

#[test]
fn a_row_that_was_edited_by_hand_is_named_before_anything_is_copied() {
    let (from, (dir, to)) = (database(), folder());
    furnish(&from, 100);
    let edit = "DROP TRIGGER ledger_entries_unchanged; UPDATE ledger_entries SET amount = amount + 1 \
                WHERE transaction_id = 8 AND position = 0";
    MariaDb::shared().client(&name(&from), edit);
    let error = migrate(&from, &to).unwrap_err().to_string();
    assert!(error.contains("ledger_entries") && error.contains("transaction_id 8"), "{error}");
    assert!(!dir.path().join("bank").exists());
}

#[test]
fn a_target_with_something_in_it_is_left_alone() {
    let ((_one, from), (two, to)) = (folder(), folder());
    furnish(&from, 60);
    std::fs::create_dir(two.path().join("bank")).unwrap();
    std::fs::write(two.path().join("bank/letter"), "dear").unwrap();
    let error = migrate(&from, &to).unwrap_err();
    assert!(matches!(&error, Error::NotEmpty { what, .. } if what == "letter"), "{error}");
    assert_eq!(std::fs::read_dir(two.path().join("bank")).unwrap().count(), 1);

    let there = database();
    furnish(&there, 60);
    let error = migrate(&from, &there).unwrap_err();
    assert!(matches!(&error, Error::NotEmpty { .. }), "{error}");
    assert_eq!(enter(&there).head(), enter(&from).head());
}

#[test]
fn a_copy_that_was_finished_is_a_bank_and_not_empty() {
    let (_dir, to) = folder();
    for to in [database(), to] {
        let (_dir, from) = folder();
        furnish(&from, 60);
        assert!(migrate(&from, &to).unwrap().holds());
        let error = migrate(&from, &to).unwrap_err();
        assert!(matches!(&error, Error::NotEmpty { .. }), "{error}");
    }
}

/// After the move the copy may be all that there is.
#[test]
fn a_server_that_may_lose_what_it_acknowledged_is_no_new_home() {
    let ((_dir, from), server) = (folder(), MariaDb::start());
    furnish(&from, 60);
    let to = House::Database(server.empty().settings());
    server.client("", "SET GLOBAL innodb_flush_log_at_trx_commit=2");
    let error = migrate(&from, &to).unwrap_err().to_string();
    assert!(error.contains("innodb_flush_log_at_trx_commit=2"), "{error}");
    server.client("", "SET GLOBAL innodb_flush_log_at_trx_commit=1");
    assert!(migrate(&from, &to).unwrap().holds());
}

#[test]
fn source_and_target_are_two_houses() {
    let (_dir, from) = folder();
    furnish(&from, 60);
    assert!(matches!(migrate(&from, &from), Err(Error::Same)));
}

#[test]
fn a_folder_that_is_served_is_not_copied() {
    let ((_dir, from), to) = (folder(), database());
    furnish(&from, 60);
    let working = enter(&from);
    let error = migrate(&from, &to).unwrap_err();
    assert!(matches!(&error, Error::Journal(journal::OpenError::Locked { .. })), "{error}");
    drop(working);
    assert!(migrate(&from, &to).unwrap().holds());
}

/// The chain tells the beginning of one history from that of another.
#[test]
fn a_copy_that_was_begun_from_another_history_is_not_gone_on_with() {
    let (_dir, to) = folder();
    for to in [database(), to] {
        let ((_one, one), (_two, other), (_three, shorter)) = (folder(), folder(), folder());
        furnish(&one, 5_000);
        furnish_as(&other, 5_000, 2);
        furnish(&shorter, 60);
        let broken = catch_unwind(AssertUnwindSafe(|| {
            moving::migrate(&one, &to, &mut |stage, _, _| assert!(stage != Stage::Copy, "on purpose"))
        }));
        assert!(broken.is_err());
        for from in [&other, &shorter] {
            let error = migrate(from, &to).unwrap_err();
            assert!(matches!(&error, Error::OtherCopy { .. }), "{error}");
        }
        assert!(migrate(&one, &to).unwrap().holds());
    }
}
