//! Bytes that changed, files that went missing, a folder in use.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use journal::{OpenError, Snapshots};
use sqlx::{ConnectOptions, Connection};

use super::bank::{ALICE, BOB, Teller, copy, files, movement, settings};
use super::{check, failed, verify};
use crate::service;
use crate::verify::{LookOnly, places};

fn flip(path: &Path, at: u64) {
    let file = fs::File::options().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x20], at).unwrap();
}

fn listing(dir: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let all = ["", "journal", "keys", "references", "snapshots"];
    all.iter()
        .flat_map(|folder| files(dir, folder, ""))
        .map(|path| (path.clone(), fs::metadata(path).unwrap().len()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_bank_holds_and_is_not_touched() {
    let dir = copy().await;
    let before = listing(dir.path());
    let report = verify(dir.path()).await;
    assert!(report.ok(), "{:#?}", report.checks);
    for check in &report.checks {
        // There are no payments in this bank.
        assert_eq!(check.checked > 0, check.name != "payments", "{} looked at nothing", check.name);
        assert!(check.name != "snapshots" || check.detail.is_empty(), "{}", check.detail);
    }
    assert_eq!(report.accounts, 4);
    assert_eq!(report.events, report.head.sequence);
    assert_eq!(listing(dir.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_of_a_record_is_named_by_its_place() {
    let dir = copy().await;
    let place = places::find(dir.path(), 50).unwrap().unwrap();
    flip(&places::segment_path(dir.path(), place.segment), place.offset + 90);
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report)[..1], ["journal"]);
    let damage = report.damage.unwrap();
    assert_eq!((damage.segment, damage.sequence), (Some(place.segment), Some(50)), "{damage}");
    assert!(damage.offset.is_some_and(|offset| offset <= place.offset), "{damage}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_segment_is_damage_and_a_damaged_identity_is_an_error() {
    let dir = copy().await;
    let segments = files(dir.path(), "journal", ".seg");
    assert!(segments.len() > 2);
    fs::remove_file(&segments[0]).unwrap();
    let report = verify(dir.path()).await;
    assert!(report.damage.unwrap().to_string().contains("missing"));

    let dir = copy().await;
    flip(&dir.path().join("IDENTITY"), 20);
    let error = super::super::verify(dir.path(), Box::new(|_, _| ())).await.unwrap_err();
    assert!(matches!(error, OpenError::IdentityDamaged { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    let error = super::super::verify(empty.path(), Box::new(|_, _| ())).await.unwrap_err();
    assert!(matches!(error, OpenError::NotABank { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_tail_is_told_and_is_no_damage() {
    let dir = copy().await;
    let head = verify(dir.path()).await.head;
    let last = places::find(dir.path(), head.sequence).unwrap().unwrap();
    let frames = places::Frames::of(dir.path(), last.segment).unwrap();
    let end = frames.map(|frame| frame.unwrap()).last().unwrap();
    let path = places::segment_path(dir.path(), last.segment);
    let at = end.offset + end.content.next_multiple_of(4096);
    fs::File::options().write(true).open(path).unwrap().write_all_at(b"half a frame", at).unwrap();
    let report = verify(dir.path()).await;
    assert!(report.ok(), "{:?}", report.damage);
    assert_eq!(report.head, head);
    assert!(check(&report, "journal").detail.contains("torn"), "{}", check(&report, "journal").detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn key_files_may_be_missing_but_not_wrong() {
    for folder in ["keys", "references"] {
        let dir = copy().await;
        let runs = files(dir.path(), folder, ".run");
        flip(&runs[0], 5_000.min(fs::metadata(&runs[0]).unwrap().len() - 1));
        let report = verify(dir.path()).await;
        assert_eq!(failed(&report), [folder]);
        let damage = report.damage.unwrap();
        assert!(damage.to_string().contains(runs[0].file_name().unwrap().to_str().unwrap()), "{damage}");

        fs::remove_file(&runs[0]).unwrap();
        let report = verify(dir.path()).await;
        assert!(report.ok(), "{:?}", report.damage);
        assert!(check(&report, folder).detail.contains("up to 0"), "{}", check(&report, folder).detail);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_snapshot_is_found_whatever_was_edited() {
    let dir = copy().await;
    let mut content = Vec::new();
    let mut newest = Snapshots::newest_valid(&LookOnly, dir.path()).unwrap().unwrap();
    std::io::Read::read_to_end(&mut newest, &mut content).unwrap();
    let head = newest.head();
    // Some place in every part: the head, an account, a hold, the late sums, the names. Its checksums are made anew.
    for at in [9, 40, 60, 200, 227, 300, content.len() - 60, content.len() - 1] {
        let dir = copy().await;
        let mut edited = content.clone();
        edited[at] ^= 1;
        files(dir.path(), "snapshots", ".snap").iter().for_each(|path| fs::remove_file(path).unwrap());
        Snapshots::write(&journal::disk::OsDisk, dir.path(), head, |out| out.write_all(&edited)).unwrap();
        let report = verify(dir.path()).await;
        assert_eq!(failed(&report), ["snapshots"], "byte {at}");
        assert_eq!(report.damage.unwrap().sequence, Some(head.sequence));
    }

    // A snapshot of a version that no start takes harms nobody.
    let other = copy().await;
    let mut edited = content.clone();
    edited[3] ^= 0x40;
    files(other.path(), "snapshots", ".snap").iter().for_each(|path| fs::remove_file(path).unwrap());
    Snapshots::write(&journal::disk::OsDisk, other.path(), head, |out| out.write_all(&edited)).unwrap();
    let report = verify(other.path()).await;
    assert!(report.ok() && check(&report, "snapshots").detail.contains("is not used"));

    let snapshot = files(dir.path(), "snapshots", ".snap").pop().unwrap();
    flip(&snapshot, 100);
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["snapshots"]);
    assert!(check(&report, "snapshots").detail.contains("does not verify"));
    fs::remove_file(snapshot).unwrap();
    assert!(verify(dir.path()).await.ok());
}

/// Sidecars are derived: one that is gone or does not check is made again. One that checks and leads elsewhere would be
/// believed by a start.
#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_may_be_missing_but_not_wrong() {
    let dir = copy().await;
    let sidecar = files(dir.path(), "journal", ".idx")[0].clone();
    let mut bytes = fs::read(&sidecar).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 64;
    fs::write(&sidecar, &bytes).unwrap();
    let report = verify(dir.path()).await;
    assert!(report.ok(), "{:?}", report.damage);
    assert!(check(&report, "sidecars").detail.contains("of segment 1: none that checks"));

    let checksum = crc32c::crc32c(&bytes[12..]);
    bytes[8..12].copy_from_slice(&checksum.to_be_bytes());
    fs::write(&sidecar, &bytes).unwrap();
    let report = verify(dir.path()).await;
    assert_eq!(failed(&report), ["sidecars"]);
    let damage = report.damage.unwrap().to_string();
    assert!(damage.contains("of segment 1: another index"), "{damage}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_database_without_its_triggers_or_records_is_found() {
    let wrong = [
        ("DROP TRIGGER api_keys_audit_insert", "trigger api_keys_audit_insert is missing"),
        (
            "PRAGMA foreign_keys = OFF; DROP TRIGGER audit_records_no_delete; DELETE FROM audit_records",
            "API keys have no audit record",
        ),
        ("CREATE TRIGGER extra AFTER INSERT ON api_keys BEGIN SELECT 1; END", "trigger extra was added"),
        ("INSERT INTO session_actor VALUES (1, 'somebody', '', 0)", "session_actor"),
        (
            "DROP TRIGGER bank_identity_no_update; UPDATE bank_identity SET bank = zeroblob(16)",
            "another bank",
        ),
    ];
    for (sql, told) in wrong {
        let dir = copy().await;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("bank.db"));
        let mut db = options.connect().await.unwrap();
        sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        let report = verify(dir.path()).await;
        assert_eq!(failed(&report), ["database"], "{sql}");
        assert!(check(&report, "database").detail.contains(told), "{}", check(&report, "database").detail);
    }
    let dir = copy().await;
    fs::remove_file(dir.path().join("bank.db")).unwrap();
    assert!(check(&verify(dir.path()).await, "database").detail.contains("missing"));
    let dir = copy().await;
    for page in 1..6 {
        flip(&dir.path().join("bank.db"), page * 4096 + 3);
    }
    assert_eq!(failed(&verify(dir.path()).await), ["database"]);
}

/// The newest frame is being written all the time here, and key files are merged under the walk's feet.
#[tokio::test(flavor = "multi_thread")]
async fn a_bank_in_use_holds_as_far_as_it_is_durable() {
    let dir = copy().await;
    let service = service::open(dir.path(), &settings()).await.unwrap();
    let who = ledger::NameId(1);
    let busy = {
        let books = service.books.clone();
        tokio::spawn(async move {
            let teller = Teller { books: &books, who };
            for number in 0.. {
                let (from, to) = if number % 2 == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
                let transfer = ledger::Command::Transfer(movement(from, to, 10));
                teller.submit(&format!("busy-{number}"), transfer, Some("busy")).await;
            }
        })
    };
    let mut reports = vec![verify(dir.path()).await];
    while !busy.is_finished() && reports.last().is_some_and(|last| last.ok() && last.head.sequence < 400) {
        reports.push(verify(dir.path()).await);
    }
    // Closed before anything is asserted: a service that is dropped while it is used waits for its users.
    busy.abort();
    let ended = busy.await;
    service.close().await;
    assert!(ended.is_err_and(|error| error.is_cancelled()));
    reports.push(verify(dir.path()).await);
    assert!(reports.is_sorted_by_key(|report| report.head.sequence));
    for report in reports {
        assert!(report.ok(), "{:?} {:#?}", report.damage, report.checks);
    }
}
