//! A disk whose calls fail: every call of a kind, of a server that runs, from one moment to another.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::common::{Server, json};
use crate::teller::{Teller, problem};

/// Calls that fail with EIO until this is dropped.
struct Failing {
    strace: Child,
    _said: BufReader<ChildStderr>,
}

impl Failing {
    fn calls(server: &Server, name: &str) -> Failing {
        let mut strace = Command::new("strace")
            .args(["-f", "-p", &server.pid().to_string(), "-o", "/dev/null", "-e"])
            .arg(format!("trace={name}"))
            .arg("-e")
            .arg(format!("inject={name}:error=EIO"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is there (the Debian package strace)");
        let mut said = BufReader::new(strace.stderr.take().expect("piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("strace says what it does");
        assert!(line.contains("attached"), "strace may not trace the server: {line}");
        Failing { strace, _said: said }
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        // It lets the server go and ends.
        let _ = Command::new("kill").arg(self.strace.id().to_string()).status();
        let _ = self.strace.wait();
    }
}

/// From the first failed call on nothing is promised, not even a balance: what was read may not be there after the
/// restart. The restart shows what was acknowledged, and a key tells what became of the rest.
fn a_journal_that_cannot(call: &str) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::start(dir, &["--demo"]);
    let teller = Teller::at(&server, dir);
    let acknowledged: Vec<_> = (0..5).map(|index| format!("{call}-before-{index}")).collect();
    let told: Vec<_> = acknowledged.iter().map(|key| teller.deposit(key)).collect();
    assert!(told.iter().all(|answer| answer.status == 201), "{told:?}");
    assert_eq!(teller.balance().body["ledger_balance"], "5.00");

    let unknown: Vec<_> = (0..5).map(|index| format!("{call}-during-{index}")).collect();
    let failing = Failing::calls(&server, call);
    for key in &unknown {
        let answer = teller.deposit(key);
        assert_eq!((problem(&answer), answer.retry_after), ((503, "journal_failed"), Some(30)));
    }
    drop(failing);

    // The disk works again; a failed sync is not retried, so nothing changes.
    for key in &acknowledged {
        assert_eq!(problem(&teller.deposit(key)), (503, "journal_failed"));
        assert_eq!(problem(&teller.outcome(key)), (503, "journal_failed"));
    }
    for view in teller.views() {
        let answer = teller.get(&view);
        assert_eq!(problem(&answer), (503, "journal_failed"), "{view}");
        assert_eq!(answer.retry_after, Some(30), "{view}");
    }
    assert_eq!(teller.get("/api/v1/health").status, 200, "alive, so that it can say what is wrong");
    assert!(server.stop(), "it ends when it is asked to");

    let server = Server::start(dir, &["--demo"]);
    let teller = Teller::at(&server, dir);
    for (key, told) in acknowledged.iter().zip(&told) {
        assert_eq!(teller.outcome(key).body["transaction"], told.body);
        let again = teller.deposit(key);
        assert_eq!((again.status, again.replayed, &again.body), (201, true, &told.body));
    }
    for key in &unknown {
        let asked = teller.outcome(key);
        let posted = match asked.status {
            200 => true,
            404 => false,
            _ => panic!("{asked:?}"),
        };
        let again = teller.deposit(key);
        assert_eq!((again.status, again.replayed), (201, posted));
    }
    assert_eq!(teller.balance().body["ledger_balance"], "10.00", "each of the ten counts once");
    assert_eq!(teller.get("/api/v1/ready").status, 200);
    assert!(server.stop());
    assert_eq!(json(dir, &["verify"])["ok"], true);
}

#[test]
fn a_journal_that_cannot_sync() {
    a_journal_that_cannot("fdatasync");
}

#[test]
fn a_journal_that_cannot_write() {
    a_journal_that_cannot("pwrite64");
}

/// What is in memory is right and is served; what would have to be read is said to be unreadable; and when the disk
/// reads again, so does the server.
#[test]
fn a_disk_that_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::start(dir, &["--demo"]);
    let teller = Teller::at(&server, dir);
    let first = teller.deposit("first");
    let path = format!("/api/v1/transactions/{}", first.body["id"].as_str().unwrap());
    let before: Vec<_> = teller.views().iter().map(|view| teller.get(view)).collect();
    assert!(before.iter().all(|answer| answer.status == 200), "{before:?}");

    let failing = Failing::calls(&server, "pread64");
    assert_eq!(problem(&teller.get(&path)), (503, "storage_unreadable"));
    assert_eq!(problem(&teller.deposit("first")), (503, "storage_unreadable"), "a replay is read");
    let mut unreadable = 0;
    for (view, before) in teller.views().iter().zip(&before) {
        let answer = teller.get(view);
        if answer.status == 503 {
            assert_eq!(problem(&answer), (503, "storage_unreadable"), "{view}");
            unreadable += 1;
        } else {
            assert_eq!(&answer, before, "{view}");
        }
    }
    assert!(unreadable > 0, "entries and transactions lie on the disk");
    let blind = teller.deposit("blind");
    assert_eq!(blind.status, 201, "{blind:?}");
    drop(failing);

    assert_eq!(teller.get(&path).body, first.body);
    let again = teller.deposit("blind");
    assert_eq!((again.replayed, again.body), (true, blind.body));
    assert_eq!(teller.balance().body["ledger_balance"], "2.00");
    assert!(server.stop());
    assert_eq!(json(dir, &["verify"])["ok"], true);
}
