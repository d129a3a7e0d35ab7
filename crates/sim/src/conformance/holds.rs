//! Holds: reserved, and one end.

use ledger::event::HoldEnd;
use ledger::{Body, Code, Command, Request, Sequence};

use super::Home;
use super::counter::{Counter, bdt, happened, refused};
use crate::time::SECOND;

/// Alice has 1,000, of which 400 are held for a minute.
fn held<H: Home>() -> (Counter<H>, Sequence) {
    let mut counter = Counter::<H>::open();
    counter.done(counter.deposit(1_000));
    let expires_at = Some(counter.clock.now() + 60 * SECOND);
    let hold = Command::Hold { account: counter.alice, to: None, amount: 400, currency: bdt(), expires_at };
    let id = counter.done(hold).sequence;
    assert_eq!((counter.balance(counter.alice), counter.available(counter.alice)), (1_000, 600));
    (counter, id)
}

fn end<H: Home>(counter: &mut Counter<H>, hold: Sequence) -> (bool, Option<u8>) {
    let (open, end) = counter.desk.ask(|books| async move { books.hold(hold).await }).unwrap();
    (open.is_some(), end.map(|end| end.tag))
}

/// By an event that the sequencer itself decides: nobody has to ask.
pub fn a_hold_expires_when_its_time_has_come_and_not_before<H: Home>() {
    let (mut counter, hold) = held::<H>();
    counter.clock.pass(60 * SECOND - 1);
    counter.desk.step();
    assert_eq!(end(&mut counter, hold), (true, None));
    counter.clock.pass(1);
    counter.desk.step();
    let event = counter.desk.books.reads().event(counter.head()).unwrap().unwrap();
    assert_eq!(event.body, Body::HoldEnded { hold, how: HoldEnd::Expired });
    assert_eq!(end(&mut counter, hold), (false, Some(HoldEnd::Expired as u8)));
    assert_eq!(counter.available(counter.alice), 1_000);
}

/// So nobody captures a hold at its last moment, and what it held can be spent at once.
pub fn what_is_due_has_ended_before_a_request_of_the_same_batch<H: Home>() {
    let (mut counter, hold) = held::<H>();
    counter.clock.pass(60 * SECOND);
    let capture = Command::Capture { hold, amount: None, to: Some(counter.bob) };
    let decided = counter.submit(Request::new(capture, counter.teller));
    assert_eq!(refused(&decided), Code::HoldEnded);
    counter.done(counter.transfer(1_000));
}

/// For ever: a second end finds the first.
pub fn an_ended_hold_is_remembered_by_its_end<H: Home>() {
    let (mut counter, hold) = held::<H>();
    counter.done(Command::Void { hold });
    for restarted in [false, true] {
        if restarted && !counter.reopen() {
            break;
        }
        assert_eq!(end(&mut counter, hold), (false, Some(HoldEnd::Voided as u8)));
        let again = counter.submit(Request::new(Command::Void { hold }, counter.teller));
        assert_eq!(refused(&again), Code::HoldEnded);
        let never = counter.submit(Request::new(Command::Void { hold: Sequence(2) }, counter.teller));
        assert_eq!(refused(&never), Code::UnknownHold);
    }
}

/// Part of it is posted, all of it is freed.
pub fn a_capture_releases_the_rest<H: Home>() {
    let (mut counter, hold) = held::<H>();
    let capture = Command::Capture { hold, amount: Some(150), to: Some(counter.bob) };
    let event = happened(counter.submit(Request::new(capture, counter.teller)));
    assert_eq!(event.posted().map(|entry| entry.amount).collect::<Vec<_>>(), [150, 150]);
    assert_eq!((counter.balance(counter.alice), counter.available(counter.alice)), (850, 850));
    assert_eq!(end(&mut counter, hold), (false, Some(HoldEnd::Captured as u8)));
}

/// They are there, they still hold, and they still expire.
pub fn holds_outlive_a_restart<H: Home>() {
    let (mut counter, hold) = held::<H>();
    if !counter.reopen() {
        return;
    }
    assert_eq!(end(&mut counter, hold), (true, None));
    assert_eq!(counter.available(counter.alice), 600);
    counter.clock.pass(61 * SECOND);
    counter.desk.step();
    assert_eq!(counter.available(counter.alice), 1_000);
}
