//! A disk that others fill: a small file system of the server's own, which nobody else sees.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::common::Server;
use crate::teller::{Teller, problem};

/// Room for the journal's reserve (64 MiB), the first segments of 2 MiB, the bank database and little more.
const SIZE: &str = "size=96m";

/// Longer than filling the segments that were made ahead, or making new ones, takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs what follows with a small disk of its own at `$0`; it is gone with the process.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o "$1" none "$0" && shift && exec "$@""#;

/// A demo bank on a small disk, and where this test finds it.
fn small(dir: &Path) -> (Server, PathBuf) {
    let own = if is_root() { "-m" } else { "-rm" };
    let place = dir.to_str().expect("a path in UTF-8");
    let words = ["unshare", own, "sh", "-c", ON_A_SMALL_DISK, place, SIZE];
    let server = Server::start_under(&words, dir, &["--demo"]);
    let seen = PathBuf::from(format!("/proc/{}/root{place}", server.pid()));
    (server, seen)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

/// Takes all that is left of it.
fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).expect("a file of somebody else");
    let some = vec![1; 1 << 16];
    while file.write_all(&some).is_ok() {}
    path
}

fn within(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_full_disk_stops_new_work_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (server, disk) = small(folder.path());
    let teller = Teller::at(&server, &disk);
    let first = teller.deposit("first");
    assert_eq!(first.status, 201, "{first:?}");

    // The segments that were made ahead are used up, not one write fails, then new work is refused.
    let filler = fill(&disk);
    let mut batches = 0;
    within("the prepared segments have an end", || {
        let accepted = teller.deposits(&format!("batch-{batches}"), 1_000);
        batches += usize::from(accepted);
        !accepted
    });
    let last = format!("batch-{}-999", batches - 1);
    let refused = teller.deposit("new");
    assert_eq!((problem(&refused), refused.retry_after), ((503, "disk_full"), Some(5)));
    assert_eq!(problem(&teller.get("/api/v1/ready")), (503, "disk_full"));
    assert_eq!(teller.get("/api/v1/health").status, 200);

    // Everything that was known before is still told, as it was.
    let balance = format!("{}.00", 1 + batches * 10);
    assert_eq!(teller.balance().body["ledger_balance"], balance);
    for view in teller.views().iter().filter(|view| !view.ends_with("/ready")) {
        assert_eq!(teller.get(view).status, 200, "{view}");
    }
    let again = teller.deposit("first");
    assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));
    assert_eq!(teller.outcome("first").body["transaction"], first.body);
    assert_eq!(teller.outcome(&last).status, 200);
    let not_decided = teller.outcome("new");
    assert_eq!(problem(&not_decided), (404, "key_not_decided"));

    // Space again: it goes on by itself, and the refused request is sent once more under its key.
    fs::remove_file(filler).unwrap();
    within("it clears by itself", || teller.get("/api/v1/ready").status == 200);
    let accepted = teller.deposit("new");
    assert_eq!((accepted.status, accepted.replayed), (201, false), "{accepted:?}");
    assert_eq!(teller.balance().body["ledger_balance"], format!("{}.00", 2 + batches * 10));
    assert!(server.stop());
}
