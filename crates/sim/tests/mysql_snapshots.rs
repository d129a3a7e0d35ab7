//! Snapshots beside books in a database: a start folds what came after the newest one, and none that is wrong is
//! believed. A question about the past starts from them too, and an event that somebody forged is named, not died of.

use std::time::{Duration, Instant};

use bank::sequencer::Fault;
use bank::store::mysql::{self, Settings};
use ledger::Sequence;
use sim::conformance::{Counter, Home};
use sim::desk::{self, Desk};
use sim::server::{Database, MariaDb};
use sim::time::SimClock;

/// Events between two snapshots.
const EVERY: u64 = 50;

struct Kept(Database);

impl Kept {
    fn settings(&self) -> Settings {
        Settings { snapshot_every: EVERY, ..self.0.settings() }
    }

    fn sql(&self, statements: &str) -> String {
        let name = self.0.url.rsplit('/').next().expect("a URL");
        MariaDb::shared().client(name, statements).trim().to_owned()
    }

    /// The sequences of the snapshots that there are, once there is one at or beyond this.
    fn wait_for(&self, sequence: u64) -> Vec<u64> {
        let began = Instant::now();
        loop {
            let found = self.sql("SELECT sequence FROM snapshots ORDER BY sequence");
            let found: Vec<u64> = found.lines().map(|line| line.parse().expect("a number")).collect();
            if found.last().is_some_and(|newest| *newest >= sequence) {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no snapshot at {sequence}: {found:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Home for Kept {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        Kept(MariaDb::shared().migrated())
    }

    fn open(&mut self, clock: SimClock, settings: &desk::Settings) -> Desk {
        let fresh = mysql::Fresh {
            identity: journal::Identity { bank: [7; 16], timeline: 1 },
            name: "Simulated Bank".into(),
            time: clock.now(),
        };
        let opened = mysql::open(&self.settings(), &fresh).expect("a healthy server");
        let background = opened.background;
        Desk::new(opened.writing, opened.reading, clock, settings, move |_| _ = &background)
    }
}

fn pay(counter: &mut Counter<Kept>, times: u64) {
    for _ in 0..times {
        counter.done(counter.deposit(7));
    }
}

/// A bank with a snapshot, closed.
fn bank() -> (Counter<Kept>, u64) {
    let mut counter = Counter::<Kept>::open();
    pay(&mut counter, EVERY + 10);
    let newest = *counter.home.wait_for(EVERY).last().expect("one");
    pay(&mut counter, 5);
    (counter, newest)
}

#[test]
fn a_start_folds_only_what_came_after_the_newest_snapshot() {
    let (mut counter, newest) = bank();
    let (alice, head) = (counter.alice, counter.head());
    let balance = counter.balance(alice);
    // Whoever reads what was before it, finds nothing.
    counter.home.sql(&format!(
        "SET foreign_key_checks=0; DROP TRIGGER events_stay; DELETE FROM events WHERE sequence < {newest}"
    ));
    counter.reopen();
    assert_eq!((counter.head(), counter.balance(alice)), (head, balance));
    pay(&mut counter, 1);
    assert_eq!(counter.balance(alice), balance + 7);
}

#[test]
fn a_snapshot_that_does_not_verify_is_passed_over() {
    let (mut counter, _) = bank();
    for spoil in [
        "UPDATE snapshot_parts SET bytes = INSERT(bytes, 200, 1, 'x')",
        "UPDATE snapshot_parts SET bytes = CONCAT(bytes, 'x')",
        "UPDATE snapshots SET parts = 2",
        "UPDATE snapshots SET hash = REPEAT('x', 32)",
        "UPDATE snapshots SET sequence = 1000000; UPDATE snapshot_parts SET sequence = 1000000",
        "UPDATE snapshot_parts SET bytes = ''",
        "DELETE FROM snapshot_parts",
    ] {
        let (alice, head) = (counter.alice, counter.head());
        let balance = counter.balance(alice);
        counter.home.sql(spoil);
        counter.reopen();
        assert_eq!((counter.head(), counter.balance(alice)), (head, balance), "{spoil}");
        pay(&mut counter, 1);
        assert_eq!(counter.balance(alice), balance + 7, "{spoil}");
    }
}

#[test]
fn the_newest_two_are_kept() {
    let (mut counter, mut newest) = bank();
    for _ in 0..3 {
        pay(&mut counter, EVERY);
        let found = counter.home.wait_for(newest + EVERY);
        assert!(found.len() <= 2, "{found:?}");
        newest = *found.last().expect("one");
    }
    let parts = counter.home.sql("SELECT COUNT(DISTINCT sequence) FROM snapshot_parts");
    assert_eq!(parts, "2");
}

/// Of several services one makes them; all of them start from what it made.
#[test]
fn two_services_make_each_snapshot_once() {
    let (mut counter, newest) = bank();
    let mut clerk = Counter::again(Kept(Database { url: counter.home.0.url.clone() }));
    pay(&mut counter, EVERY);
    pay(&mut clerk, EVERY);
    counter.home.wait_for(newest + EVERY);
    assert_eq!(clerk.balance(clerk.alice), counter.balance(counter.alice));
}

#[test]
fn the_past_is_folded_from_the_nearest_snapshot() {
    let (counter, newest) = bank();
    let reads = counter.desk.books.reads();
    let (head, early) = (counter.head(), Sequence(newest - 1));
    let before = reads.state_at(early).expect("from the first event");
    assert_eq!(before.head(), early);
    let whole = reads.state_at(head).expect("from the snapshot");
    counter.home.sql(&format!(
        "SET foreign_key_checks=0; DROP TRIGGER events_stay; DELETE FROM events WHERE sequence < {newest}"
    ));
    assert_eq!(reads.state_at(head), Ok(whole));
    assert!(matches!(reads.state_at(early), Err(Fault::Unreadable(_))));
}

/// An amount changed in the bytes of an event: it still decodes, and does not follow from those before it.
#[test]
fn a_forged_event_is_a_fault_that_names_it() {
    let (mut counter, _) = bank();
    let forged = 20;
    counter.home.sql(&format!(
        "DROP TRIGGER events_unchanged; \
         UPDATE events SET record = INSERT(record, 96, 1, 'x') WHERE sequence = {forged}"
    ));
    let reads = counter.desk.books.reads().clone();
    let fault = reads.state_at(Sequence(forged + 5)).expect_err("forged");
    assert!(matches!(&fault, Fault::Unreadable(why) if why.contains("event 20 ")), "{fault}");
    assert!(reads.state_at(Sequence(forged - 1)).is_ok(), "what was before it is what it was");
    // The living books know better, and go on.
    pay(&mut counter, 1);
    counter.home.sql("DELETE FROM snapshots");
    let settings = counter.home.settings();
    let fresh = mysql::Fresh {
        identity: journal::Identity { bank: [7; 16], timeline: 1 },
        name: "Simulated Bank".into(),
        time: 1,
    };
    let error = mysql::open(&settings, &fresh).err().expect("it does not open").to_string();
    assert!(error.contains("changed by hand") && error.contains("bankcore verify"), "{error}");
}

/// Somebody who can write into the tables can also compute a digest: a start believes it, the proof does not.
#[test]
fn verify_compares_every_snapshot_with_the_events() {
    let (counter, newest) = bank();
    let verified = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let settings = counter.home.settings();
        let nowhere = std::path::Path::new("/nowhere");
        let report = bank::verify::verify_database(&settings, nowhere, Box::new(|_, _| ()));
        let report = runtime.block_on(report).expect("it can be looked at");
        let check = report.checks.into_iter().find(|check| check.name == "snapshots").expect("a check");
        (check.ok, check.checked, check.detail)
    };
    assert_eq!(verified(), (true, 1, String::new()));
    let digest = "UPDATE snapshots SET digest = (SELECT UNHEX(SHA2(bytes, 256)) FROM snapshot_parts)";
    // The bank's name, a byte of its length before it: another letter.
    let edit = "UPDATE snapshot_parts SET bytes = REPLACE(bytes, 'Simulated', 'simulated')";
    counter.home.sql(edit);
    let (ok, _, detail) = verified();
    assert!(!ok && detail.contains("does not verify"), "{detail}");
    counter.home.sql(digest);
    let (ok, _, detail) = verified();
    let place = format!("at sequence {newest}");
    assert!(!ok && detail.contains("the bank's name") && detail.contains(&place), "{detail}");
    counter.home.sql("UPDATE snapshots SET hash = REPEAT('x', 32)");
    let (ok, _, detail) = verified();
    assert!(!ok && detail.contains("another history"), "{detail}");
}
