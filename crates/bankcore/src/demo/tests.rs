//! The demonstration is the same however often, and after whatever interruption, it is made.

use std::os::unix::fs::PermissionsExt as _;

use bank::books::TrialBalance;
use bank::sequencer::{Clock as _, SystemClock};
use bank::service::{self, Service, Settings};
use ledger::AccountId;
use tempfile::TempDir;

use super::*;

fn small() -> Settings {
    let mut settings = Settings { name: "Demo Bank".into(), ..Settings::default() };
    settings.store.journal.segment_bytes = 2 << 20;
    settings.store.journal.frame_bytes_max = 1 << 20;
    settings
}

async fn bank() -> (TempDir, Service) {
    let dir = tempfile::tempdir().unwrap();
    let service = service::create(dir.path(), &small()).await.unwrap();
    (dir, service)
}

async fn balance(service: &Service, file: &DemoFile, name: &str) -> i128 {
    let id = AccountId(file.accounts[name].parse().unwrap());
    service.books.account(id).await.unwrap().unwrap().account.ledger_balance()
}

fn live_keys(file: &DemoFile, service: &Service) -> usize {
    let now = SystemClock::new().wall();
    let directory = service.keys.directory();
    file.keys.values().filter(|key| directory.authenticate(key, now).is_ok()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_case_studies_can_be_told() {
    let (dir, service) = bank().await;
    let file = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
    for (name, minor) in [
        ("vault", 800_000_000),
        ("capital", 1_000_000_000),
        ("drawer_1", 50_850_000),
        ("drawer_2", 50_000_000),
        ("suspense", 0),
        ("clearing", 0),
        ("nostro", 100_000_000),
        ("alice_savings", 0),
        ("alice_current", 0),
        ("bob_savings", 300_000),
        ("bob_current", 0),
        ("carol_savings", 500_000),
        ("carol_current", 50_000),
    ] {
        assert_eq!(balance(&service, &file, name).await, minor, "{name}");
    }
    assert_eq!((file.accounts.len(), file.keys.len(), live_keys(&file, &service)), (13, 8, 8));
    let path = dir.path().join("demo.json");
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    service.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_changes_nothing_but_the_address() {
    let (dir, service) = bank().await;
    let first = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
    let before = service.books.trial_balance().await.unwrap();
    service.close().await;
    let service = service::open(dir.path(), &small()).await.unwrap();
    let second = prepare(&service, dir.path(), "http://127.0.0.1:2").await.unwrap();
    let moved = |rail: DemoRail| DemoRail { notices: rail.notices.replace(":1/", ":2/"), ..rail };
    let rail = first.rail.clone().map(moved);
    assert_eq!(second, DemoFile { url: "http://127.0.0.1:2".into(), rail, ..first });
    assert_eq!(DemoFile::read(dir.path()).unwrap().unwrap(), second);
    let after = service.books.trial_balance().await.unwrap();
    assert_eq!(TrialBalance { time: before.time, ..after }, before, "nothing was posted again");
    service.close().await;
}

/// A crash between making keys and writing them down: nobody was shown them, so they must not stay alive.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_never_shown_are_made_again() {
    let (dir, service) = bank().await;
    let lost = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
    std::fs::remove_file(dir.path().join("demo.json")).unwrap();
    let file = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
    assert_eq!((live_keys(&lost, &service), live_keys(&file, &service)), (0, 8));
    assert_eq!(lost.accounts, file.accounts);
    service.close().await;
}

/// The journal is cut after each event of a whole making, as a crash there would leave it.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_event_is_finished_by_starting_again() {
    let (dir, service) = bank().await;
    let whole = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
    let head = service.books.reads().head().sequence.0;
    let mut records = Vec::new();
    let reads = service.books.reads();
    reads
        .scan(ledger::Sequence(1), &mut |event| {
            records.push(event);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    let identity = service.identity;
    service.close().await;
    for cut in (2..head).step_by(5) {
        let dir = tempfile::tempdir().unwrap();
        write_journal(dir.path(), identity, &records[..cut as usize]);
        let now = SystemClock::new().wall();
        let path = dir.path().join("bank.db");
        bank::database::Database::create(&path, identity.bank, now).await.unwrap().close().await;
        let service = service::open(dir.path(), &small()).await.unwrap();
        let file = prepare(&service, dir.path(), "http://127.0.0.1:1").await.unwrap();
        assert_eq!(file.accounts, whole.accounts, "cut after {cut}");
        assert_eq!(balance(&service, &file, "drawer_1").await, 50_850_000, "cut after {cut}");
        assert_eq!(balance(&service, &file, "vault").await, 800_000_000, "cut after {cut}");
        service.close().await;
    }
}

fn write_journal(dir: &Path, identity: journal::Identity, events: &[ledger::Event]) {
    let options = journal::Options { background: false, ..small().store.journal };
    let folder = journal::Folder::create(journal::disk::OsDisk, dir, identity, options).unwrap();
    let (mut journal, _) = folder.recover(None, &mut |_| ()).unwrap();
    let mut batch = journal::Batch::new();
    for event in events {
        batch.push(|bytes| ledger::codec::encode(event, bytes));
    }
    journal.appender.append(&mut batch).unwrap();
    journal.appender.confirm().unwrap();
}
