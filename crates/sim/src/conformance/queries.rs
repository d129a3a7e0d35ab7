//! Questions about the books as they stand.

use bank::sequencer::{Fault, Wanted};
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Command, Date, NameId, Request};

use super::Home;
use super::counter::{Counter, bdt, happened};
use crate::desk::{self, Asked};
use crate::time::{DAY, SECOND, START};

/// A page begins behind an id and holds as many as were asked for.
pub fn accounts_are_listed_in_order_and_by_owner<H: Home>() {
    let mut counter = Counter::<H>::open();
    let (teller, bob) = (counter.teller, counter.bob);
    let mine: Vec<AccountId> =
        (0..5).map(|_| counter.account("another", AccountType::Liability, teller, 0)).collect();
    let mut list = |after: u64, limit, owner| {
        let wanted = Wanted { owner, ..Wanted::default() };
        let found =
            counter.desk.ask(|books| async move { books.accounts(AccountId(after), limit, wanted).await });
        found.unwrap().0.into_iter().map(|view| view.id.0).collect::<Vec<_>>()
    };
    assert_eq!(list(0, 3, None), [1, 2, 3]);
    assert_eq!(list(3, 100, None), [4, 5, 6, 7, 8]);
    assert_eq!(list(0, 100, Some(NameId(2))), [bob.0]);
    assert_eq!(list(bob.0, 2, Some(teller)), [mine[0].0, mine[1].0]);
    assert_eq!(list(8, 10, None), [] as [u64; 0]);
    assert_eq!(list(u64::MAX, 10, None), [] as [u64; 0]);
    let nobody = counter.desk.ask(|books| async move { books.account(AccountId(99)).await }).unwrap();
    assert!(nobody.is_none());
}

/// Debits equal credits, and it says where.
pub fn the_trial_balance_balances_at_a_sequence<H: Home>() {
    let mut counter = Counter::<H>::open();
    counter.done(counter.deposit(700));
    counter.done(counter.transfer(300));
    let balance = counter.desk.ask(|books| async move { books.trial_balance().await }).unwrap();
    assert!(balance.is_balanced());
    assert_eq!(balance.as_of, counter.head());
    let liabilities = balance.lines[&(bdt(), AccountType::Liability)];
    assert_eq!((liabilities.accounts, liabilities.debits, liabilities.credits), (2, 300, 1_000));
    assert_eq!(balance.totals()[&bdt()], (1_000, 1_000));
}

/// Kinds are apart; what was never interned has none.
pub fn a_name_has_one_number_for_ever<H: Home>() {
    let mut counter = Counter::<H>::open();
    let carol = counter.intern("carol");
    assert_eq!(counter.intern("carol"), carol);
    for restarted in [false, true] {
        if restarted && !counter.reopen() {
            break;
        }
        assert_eq!(counter.intern("carol"), carol);
        let mut name =
            |kind| counter.desk.ask(|books| async move { books.name(kind, "carol").await }).unwrap();
        assert_eq!(name(NameKind::Principal), Some(carol));
        assert_eq!(name(NameKind::Actor), None);
    }
}

/// Open, closed, open again on a later day.
pub fn the_business_day_is_what_was_opened_last<H: Home>() {
    let mut counter = Counter::<H>::open();
    let today = Date::of_micros(START);
    let tomorrow = Date(today.0 + 1);
    counter.done(Command::CloseDay { date: today });
    let closed = counter.desk.ask(|books| async move { books.day().await }).unwrap();
    assert_eq!((closed.open, closed.newest), (None, Some(today)));
    counter.done(Command::OpenDay { date: tomorrow });
    counter.reopen();
    let open = counter.desk.ask(|books| async move { books.day().await }).unwrap();
    assert_eq!((open.open, open.newest), (Some(tomorrow), Some(tomorrow)));
}

/// One order for everything, questions too.
pub fn questions_in_a_batch_see_what_was_decided_before_them<H: Home>() {
    let mut counter = Counter::<H>::open();
    let alice = counter.alice;
    let mut looks: Vec<Asked<_>> = Vec::new();
    let mut writes: Vec<Asked<_>> = Vec::new();
    for _ in 0..3 {
        let (reading, writing) = (counter.desk.books.clone(), counter.desk.books.clone());
        let request = Request::new(counter.deposit(10), counter.teller);
        let mut look: Asked<_> = Box::pin(async move { reading.account(alice).await });
        let mut write: Asked<_> = Box::pin(async move { writing.submit(request).await });
        assert!(desk::poll(&mut look).is_none() && desk::poll(&mut write).is_none());
        looks.push(look);
        writes.push(write);
    }
    counter.desk.step();
    let seen: Vec<i128> = looks
        .iter_mut()
        .map(|look| desk::poll(look).expect("one batch").unwrap().unwrap().account.ledger_balance())
        .collect();
    assert_eq!(seen, [0, 10, 20]);
    for write in &mut writes {
        let _ = happened(desk::poll(write).expect("one batch").unwrap());
    }
}

/// Until somebody has looked at the clock; what happens then bears the new time.
pub fn a_leap_of_the_clock_stops_writes_but_not_questions<H: Home>() {
    let mut counter = Counter::<H>::open();
    counter.done(counter.deposit(10));
    counter.clock.set_off(365 * DAY);
    counter.clock.pass(SECOND);
    let request = Request::new(counter.deposit(10), counter.teller);
    let fault = counter.try_submit(request.clone()).unwrap_err();
    assert!(matches!(fault, Fault::ClockJumped(_)), "{fault:?}");
    // There was one outcome for the whole list, and whoever had sent two requests died looking for the second.
    let list = vec![request.clone(), request.clone(), request.clone()];
    let each = counter.desk.ask(|books| async move { books.submit_all(list).await }).unwrap();
    assert_eq!(each, vec![Err(fault); 3]);
    assert_eq!(counter.balance(counter.alice), 10);
    counter.desk.ask(|books| async move { books.confirm_clock().await }).unwrap();
    let event = happened(counter.submit(request));
    assert_eq!(event.time, counter.clock.now());
    counter.clock.set_off(-DAY);
    let later = counter.done(counter.deposit(10));
    assert_eq!(later.time, event.time, "a clock that falls back is waited out");
}
