//! Rows of the truth that somebody changed by hand: the store names the place and answers nothing. It never tells
//! what the edited rows say.

use bank::sequencer::Fault;
use bank::store::mysql::{self, OpenError};
use sim::conformance::{Counter, Home};

use super::bank::{Shaky, by_hand, fresh};

/// Some events, and no guards any more.
fn bank() -> Counter<Shaky> {
    let mut counter = Counter::<Shaky>::open();
    counter.done(counter.deposit(1_000));
    counter.done(counter.transfer(10));
    let guards = ["events_unchanged", "events_stay", "ledger_head_moves", "ledger_head_stays"];
    guards.iter().for_each(|guard| drop(by_hand(&counter.home.database, &format!("DROP TRIGGER {guard}"))));
    counter
}

/// Opening says what is wrong.
fn opening_fails(counter: &Counter<Shaky>, place: &str) {
    match mysql::open(&counter.home.settings(), &fresh()) {
        Err(OpenError::Damaged(why)) => assert!(why.contains(place), "{place}: {why}"),
        Err(other) => panic!("{place}: {other}"),
        Ok(_) => panic!("{place}: it opened"),
    }
}

/// A running bank answers nothing any more, neither requests nor questions, and its rules thread lives to say so.
fn running_fails(counter: &mut Counter<Shaky>, place: &str) {
    for _ in 0..2 {
        let request = counter.keyed(counter.transfer(1), "after the edit");
        match counter.try_submit(request) {
            Err(Fault::Unreadable(why)) => assert!(why.contains(place), "{place}: {why}"),
            other => panic!("{place}: {other:?}"),
        }
        let alice = counter.alice;
        let question = counter.desk.ask(|books| async move { books.account(alice).await });
        assert!(matches!(question, Err(Fault::Unreadable(_))), "{place}: {question:?}");
    }
}

#[test]
fn an_amount_changed_in_an_event_is_found_when_the_books_are_opened() {
    let counter = bank();
    let head = counter.head();
    // The amount of the first entry, behind the header of 80 bytes and the account.
    let edit = format!("UPDATE events SET record=INSERT(record,96,1,x'0b') WHERE sequence={head}");
    by_hand(&counter.home.database, &edit);
    opening_fails(&counter, &format!("the events up to {head}"));
}

#[test]
fn bytes_that_are_no_event_are_named() {
    let counter = bank();
    by_hand(&counter.home.database, "UPDATE events SET record=LEFT(record,70) WHERE sequence=5");
    opening_fails(&counter, "event 5 cannot be read");
    by_hand(&counter.home.database, "UPDATE events SET record='' WHERE sequence=5");
    opening_fails(&counter, "event 5 cannot be read: it is empty");
}

#[test]
fn an_event_that_is_missing_is_named() {
    let counter = bank();
    by_hand(&counter.home.database, "SET foreign_key_checks=0; DELETE FROM events WHERE sequence=5");
    opening_fails(&counter, "event 5");
}

#[test]
fn a_head_that_ends_another_chain_is_found() {
    let mut counter = bank();
    let head = counter.head();
    by_hand(&counter.home.database, "UPDATE ledger_head SET hash=REVERSE(hash)");
    running_fails(&mut counter, &format!("another history ends at event {head}"));
    opening_fails(&counter, &format!("the events up to {head}"));
}

#[test]
fn a_head_that_went_back_is_found() {
    let mut counter = bank();
    let head = counter.head();
    by_hand(&counter.home.database, "UPDATE ledger_head SET sequence=sequence-1");
    running_fails(&mut counter, &format!("the head went back from event {head}"));
}

#[test]
fn a_head_that_is_not_there_is_found() {
    let mut counter = bank();
    by_hand(&counter.home.database, "DELETE FROM ledger_head");
    running_fails(&mut counter, "the row of ledger_head is missing");
}

/// Somebody writes an event with a right chain that cannot follow: the last one again, under the next number.
#[test]
fn an_event_that_does_not_follow_stops_the_bank() {
    let mut counter = bank();
    let (head, next) = (counter.head(), counter.head().next());
    let forged = format!(
        "INSERT INTO events SELECT {next}, kind, variant, INSERT(record,9,8,UNHEX(LPAD(HEX({next}),16,'0'))) \
         FROM events WHERE sequence={head}; \
         UPDATE ledger_head AS h JOIN events AS e ON e.sequence={next} \
         SET h.sequence={next}, h.hash=UNHEX(SHA2(CONCAT(h.hash,e.record),256))"
    );
    by_hand(&counter.home.database, &forged);
    running_fails(&mut counter, &format!("event {next} does not follow"));
    opening_fails(&counter, &format!("event {next} does not follow"));
}

/// History is read while the bank runs: a record that is no event any more is a fault there, too.
#[test]
fn a_record_that_cannot_be_read_is_a_fault_in_history() {
    let mut counter = bank();
    let head = counter.head();
    let cut = format!("UPDATE events SET record=LEFT(record,70) WHERE sequence={head}");
    by_hand(&counter.home.database, &cut);
    let reads = counter.desk.books.reads();
    assert!(
        matches!(reads.event(head), Err(Fault::Unreadable(why)) if why.contains(&format!("event {head}")))
    );
    assert_eq!(counter.balance(counter.bob), 10, "the state in memory stands");
}

/// A service at the same books whose clock is ahead: time does not go back for those whose clocks are right.
#[test]
fn the_clock_of_another_service_may_be_ahead() {
    let mut counter = bank();
    let clock = sim::time::SimClock::default();
    clock.pass(3_600 * sim::time::SECOND);
    let mut ahead = counter.home.open(clock, &sim::desk::Settings::default());
    let deposit = counter.keyed(counter.deposit(1), "ahead");
    let first = ahead.ask(|books| async move { books.submit(deposit).await }).expect("no fault");
    let first = sim::conformance::happened(first);
    let second = counter.done(counter.deposit(1));
    assert!(first.time >= sim::time::START + 3_600 * sim::time::SECOND);
    assert!(second.time >= first.time, "{} after {}", second.time, first.time);
    counter.reopen();
    assert_eq!(counter.balance(counter.alice), 992);
}
