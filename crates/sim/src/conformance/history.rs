//! History: deep, in both directions, at any moment.

use std::ops::ControlFlow;

use bank::books::history::{self, From, Moment};
use bank::sequencer::Fault;
use ledger::{Date, Request, Sequence, State};

use super::Home;
use super::counter::{Counter, happened};
use crate::time::{DAY, SECOND};

/// How deep the deep history is: more than one skip of the middle length.
const DEEP: u64 = 5_300;

/// Alice's account with a long history: its version is its length.
fn deep<H: Home>() -> Counter<H> {
    let mut counter = Counter::<H>::open();
    for batch in 0..DEEP / 100 {
        counter.clock.pass(SECOND);
        let requests: Vec<Request> = (0..100)
            .map(|one| counter.keyed(counter.deposit(1 + batch as i64 % 7), &format!("d-{batch}-{one}")))
            .collect();
        counter.desk.ask(|books| async move { books.submit_all(requests).await }).unwrap();
    }
    counter
}

/// Whatever the size of a page, and wherever it begins.
pub fn pages_meet_without_gaps_in_both_directions<H: Home>() {
    let mut counter = deep::<H>();
    counter.reopen();
    let (id, account) = (counter.alice, counter.look(counter.alice).account);
    assert!(account.version > DEEP);
    let reads = counter.desk.books.reads();
    for limit in [1, 63, 64, 1_000] {
        for (start, up) in [(u64::MAX, false), (4_100, false), (1, true), (4_090, true), (64, true)] {
            let mut from = if up { From::Up(start) } else { From::Down(start) };
            let mut seen: Vec<u64> = Vec::new();
            while seen.len() < 3_000 {
                let page =
                    history::page(&**reads, id, &account, from, &(0..=u64::MAX), limit, |_| true).unwrap();
                seen.extend(page.steps.iter().map(|step| step.entry.version));
                let Some(next) = page.next else { break };
                assert_eq!(page.steps.len(), limit, "a full page before the end");
                from = next;
                if limit == 1 && seen.len() == 130 {
                    break;
                }
            }
            let expected: Vec<u64> = if up {
                (start..=account.version).take(seen.len()).collect()
            } else {
                (1..=account.version.min(start)).rev().take(seen.len()).collect()
            };
            assert_eq!(seen, expected, "from {start}, {limit} a page");
        }
    }
    let everything =
        history::page(&**reads, id, &account, From::Up(1), &(0..=u64::MAX), 10_000, |_| true).unwrap();
    assert_eq!((everything.steps.len() as u64, everything.next), (account.version, None));
}

/// However long nothing is found, no page costs more than its bound.
pub fn a_filtered_page_says_where_to_go_on<H: Home>() {
    let mut counter = deep::<H>();
    let (id, account) = (counter.alice, counter.look(counter.alice).account);
    let reads = counter.desk.books.reads();
    let wanted = |step: &history::Step| step.entry.version.is_multiple_of(1_000);
    let (mut from, mut found, mut pages) = (From::Down(u64::MAX), Vec::new(), 0);
    loop {
        let page = history::page(&**reads, id, &account, from, &(0..=u64::MAX), 2, wanted).unwrap();
        assert!(page.steps.len() <= 2);
        found.extend(page.steps.iter().map(|step| step.entry.version));
        pages += 1;
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(found, [5_000, 4_000, 3_000, 2_000, 1_000]);
    assert!(pages > 1);
}

/// Newest first, page by page, old and new alike.
pub fn a_reference_is_paged_from_the_newest<H: Home>() {
    let mut counter = Counter::<H>::open();
    let mut carrying = Vec::new();
    for number in 0..300 {
        let reference = if number % 3 == 0 { "INV-1" } else { "INV-2" };
        let request = counter.referring(counter.deposit(1), reference);
        let event = happened(counter.submit(request));
        if number % 3 == 0 {
            carrying.push(event.sequence);
        }
    }
    counter.reopen();
    carrying.reverse();
    let reads = counter.desk.books.reads();
    let (mut seen, mut before) = (Vec::new(), Sequence(u64::MAX >> 1));
    loop {
        let page = reads.by_reference("INV-1", before, 7).unwrap();
        let Some(last) = page.last() else { break };
        before = *last;
        seen.extend(page);
    }
    assert_eq!(seen, carrying);
    assert_eq!(reads.by_reference("inv-1", Sequence(u64::MAX >> 1), 7).unwrap(), []);
}

/// After an event, at the end of an instant, at the end of a day.
pub fn a_balance_can_be_asked_for_at_any_moment<H: Home>() {
    let mut counter = Counter::<H>::open();
    let today = counter.desk.ask(|books| async move { books.day().await }).unwrap().open.unwrap();
    let first = counter.done(counter.deposit(100));
    counter.clock.pass(SECOND);
    let second = counter.done(counter.deposit(20));
    counter.clock.pass(DAY);
    counter.done(ledger::Command::CloseDay { date: today });
    counter.done(ledger::Command::OpenDay { date: Date(today.0 + 1) });
    let third = counter.done(counter.deposit(3));
    let (id, account) = (counter.alice, counter.look(counter.alice).account);
    let reads = counter.desk.books.reads();
    let at = |moment| {
        let step = history::balance_at(&**reads, id, &account, moment).unwrap();
        step.map(|step| step.entry.balance_after)
    };
    for (moment, balance) in [
        (Moment::Sequence(first.sequence), Some(100)),
        (Moment::Sequence(Sequence(second.sequence.0 + 1)), Some(120)),
        (Moment::Sequence(Sequence(u64::MAX)), Some(123)),
        (Moment::Sequence(Sequence(1)), None),
        (Moment::Time(first.time), Some(100)),
        (Moment::Time(second.time - 1), Some(100)),
        (Moment::Time(third.time), Some(123)),
        (Moment::Time(0), None),
        (Moment::Date(today), Some(120)),
        (Moment::Date(Date(today.0 - 1)), None),
        (Moment::Date(Date(today.0 + 9)), Some(123)),
    ] {
        assert_eq!(at(moment), balance, "{moment:?}");
    }
}

/// Nothing but the events makes the state.
pub fn the_state_at_a_sequence_is_the_fold_of_all_before<H: Home>() {
    let counter = deep::<H>();
    let reads = counter.desk.books.reads();
    for at in [1, 2, 10, 2_000, 2_001, 4_444, counter.head().0] {
        let mut state = State::new();
        let scanned = reads.scan(Sequence(1), &mut |event| {
            if event.sequence.0 > at {
                return ControlFlow::Break(());
            }
            state.apply(&event);
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        assert!(reads.state_at(Sequence(at)).unwrap() == state, "at {at}");
    }
}

/// Nothing is there beyond it, nothing is missing before it.
pub fn history_ends_at_the_head<H: Home>() {
    let mut counter = Counter::<H>::open();
    counter.done(counter.deposit(1));
    let (head, reads) = (counter.head(), counter.desk.books.reads());
    assert_eq!(reads.event(Sequence(0)).unwrap(), None);
    assert_eq!(reads.event(head.next()).unwrap(), None);
    // The state beyond the head was answered with the one at the head, as if it were known.
    let beyond = Fault::NotYet { at: head.next(), newest: head };
    assert_eq!(reads.state_at(head.next()).err(), Some(beyond));
    assert_eq!(reads.state_at(head).unwrap().head(), head);
    assert_eq!(*reads.watch().borrow(), head.0);
    for from in [0, 1, 3, head.0, head.0 + 1] {
        let mut seen = Vec::new();
        let scanned = reads.scan(Sequence(from), &mut |event| {
            assert_eq!(reads.event(event.sequence).unwrap().as_ref(), Some(&event));
            seen.push(event.sequence.0);
            ControlFlow::Continue(())
        });
        scanned.unwrap();
        assert_eq!(seen, (from.max(1)..=head.0).collect::<Vec<_>>());
    }
}
