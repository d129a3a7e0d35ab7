//! Value dates: what counts from another day than the one on which it was booked.

use bank::books::ByValue;
use ledger::{AccountId, Command, Date, Request};

use super::Home;
use super::counter::{Counter, happened};
use crate::time::START;

/// Days from the one on which the bank opens.
fn day(days: i32) -> Date {
    Date(Date::of_micros(START).0 + days)
}

/// Has it posted with a value date.
fn valued<H: Home>(counter: &mut Counter<H>, command: Command, value: Date) {
    let mut request = Request::new(command, counter.teller);
    request.value = Some(value);
    let _ = happened(counter.submit(request));
}

fn look<H: Home>(counter: &mut Counter<H>, id: AccountId, date: Date) -> ByValue {
    counter
        .desk
        .ask(|books| async move { books.by_value(id, date).await })
        .expect("no faults here")
        .expect("it is there")
}

fn balance<H: Home>(counter: &mut Counter<H>, id: AccountId, date: Date) -> i128 {
    let seen = look(counter, id, date);
    seen.balance(&**counter.desk.books.reads()).expect("it can be read")
}

fn turn<H: Home>(counter: &mut Counter<H>, from: Date, to: Date) {
    counter.done(Command::CloseDay { date: from });
    counter.done(Command::OpenDay { date: to });
}

/// 1,000 today; 70 of last month; 5 for next week; tomorrow 200 of today, and 30.
fn late<H: Home>() -> Counter<H> {
    let mut counter = Counter::<H>::open();
    counter.done(counter.deposit(1_000));
    let (past, ahead) = (counter.deposit(70), counter.transfer(5));
    valued(&mut counter, past, day(-30));
    valued(&mut counter, ahead, day(7));
    turn(&mut counter, day(0), day(1));
    let back = counter.deposit(200);
    valued(&mut counter, back, day(0));
    counter.done(counter.deposit(30));
    counter
}

/// The days on which something changes, with alice's, bob's and the vault's balance from then on.
const STEPS: [(i32, [i128; 3]); 5] = [
    (-366, [0, 0, 0]),
    (-30, [70, 0, 70]),
    (0, [1_270, 0, 1_270]),
    (1, [1_300, 0, 1_300]),
    (7, [1_295, 5, 1_300]),
];

fn all_days_come_out<H: Home>(counter: &mut Counter<H>) {
    for (index, (from, expected)) in STEPS.iter().enumerate() {
        let until = STEPS.get(index + 1).map_or(367, |(next, _)| *next);
        for days in [*from, until - 1] {
            for (id, expected) in [counter.alice, counter.bob, counter.vault].into_iter().zip(expected) {
                assert_eq!(balance(counter, id, day(days)), *expected, "account {id}, day {days}");
            }
        }
    }
}

/// Back and ahead, on both sides of the books.
pub fn a_balance_by_value_date_counts_what_has_come_by_then<H: Home>() {
    let mut counter = late::<H>();
    all_days_come_out(&mut counter);
    let newest = look(&mut counter, AccountId(1), day(0)).newest;
    assert_eq!(newest, Some(day(1)));
    assert_eq!(look(&mut counter, AccountId(1), day(367)).out_of_range(), None);
    assert_eq!(look(&mut counter, AccountId(1), day(368)).out_of_range(), newest);
    let nobody = counter.desk.ask(|books| async move { books.by_value(AccountId(99), day(0)).await });
    assert_eq!(nobody, Ok(None));
}

/// Money that moves between the question and the look at the history is in neither part, on whichever day it
/// counts: else it would be in one and not in the other.
pub fn both_parts_of_a_balance_are_of_one_moment<H: Home>() {
    let mut counter = late::<H>();
    let alice = counter.alice;
    let seen: Vec<ByValue> =
        [-30, 0, 1].into_iter().map(|days| look(&mut counter, alice, day(days))).collect();
    for value in [-30, 0, 7] {
        let more = counter.deposit(10_000);
        valued(&mut counter, more, day(value));
    }
    counter.done(counter.deposit(10_000));
    let reads = counter.desk.books.reads();
    let then: Vec<i128> = seen.iter().map(|seen| seen.balance(&**reads).unwrap()).collect();
    assert_eq!(then, [70, 1_270, 1_300]);
    assert_eq!(balance(&mut counter, alice, day(1)), 31_300, "and who asks now sees it");
}

/// In a snapshot and out of it, and when the day is so far back that only the history knows.
pub fn late_entries_outlive_a_restart_and_are_there_for_ever<H: Home>() {
    let mut counter = late::<H>();
    for batch in 0..30 {
        let requests: Vec<Request> =
            (0..100).map(|_| Request::new(counter.transfer(1 + batch % 2), counter.teller)).collect();
        let back: Vec<Request> =
            requests.iter().map(|_| Request::new(undo(&counter, batch), counter.teller)).collect();
        for some in [requests, back] {
            counter.desk.ask(|books| async move { books.submit_all(some).await }).unwrap();
        }
    }
    counter.reopen();
    all_days_come_out(&mut counter);
    for (from, to) in [(1, 368), (368, 1_500)] {
        turn(&mut counter, day(from), day(to));
        // Something late again: what is settled now may be forgotten, and is not lost.
        let more = counter.deposit(1);
        valued(&mut counter, more, day(to + 1));
        let more = Command::Withdraw(ledger::command::Movement {
            from: counter.alice,
            to: counter.vault,
            amount: 1,
            currency: super::counter::bdt(),
        });
        valued(&mut counter, more, day(to + 1));
        counter.reopen();
        all_days_come_out(&mut counter);
    }
}

/// Bob gives back what alice gave.
fn undo<H: Home>(counter: &Counter<H>, batch: i64) -> Command {
    Command::Transfer(ledger::command::Movement {
        from: counter.bob,
        to: counter.alice,
        amount: 1 + batch % 2,
        currency: super::counter::bdt(),
    })
}
