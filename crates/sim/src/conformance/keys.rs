//! Keys: the same intent posts once.

use bank::books::Decided;
use ledger::{Code, Digest, Request};

use super::Home;
use super::counter::{Counter, happened, refused};
use crate::desk::Settings;
use crate::time::SECOND;

/// Sent once or ten times, before or after a restart: one event, one answer.
pub fn a_key_posts_once_and_answers_the_same_for_ever<H: Home>() {
    let mut counter = Counter::<H>::open();
    let request = counter.keyed(counter.deposit(500), "d-1");
    let event = happened(counter.submit(request.clone()));
    for _ in 0..3 {
        let again = counter.submit(request.clone());
        assert_eq!(again, Decided::Accepted { event: event.clone(), replayed: true });
    }
    if counter.reopen() {
        let again = counter.submit(request);
        assert_eq!(again, Decided::Accepted { event, replayed: true });
    }
    assert_eq!(counter.balance(counter.alice), 500);
}

/// A key stands for one intent.
pub fn a_key_with_another_request_is_refused_and_names_the_first<H: Home>() {
    let mut counter = Counter::<H>::open();
    let first = counter.keyed(counter.deposit(500), "d-1");
    let by = happened(counter.submit(first)).sequence;
    let other = counter.keyed(counter.deposit(501), "d-1");
    assert_eq!(counter.submit(other.clone()), Decided::KeyReused { by });
    if counter.reopen() {
        assert_eq!(counter.submit(other), Decided::KeyReused { by });
    }
    assert_eq!(counter.balance(counter.alice), 500);
}

/// Keys are each principal's own.
pub fn the_same_key_of_another_principal_is_another_key<H: Home>() {
    let mut counter = Counter::<H>::open();
    for who in [counter.teller, counter.other] {
        let request = Request::new(counter.deposit(500), who).with_key(Digest::of_key(who, "d-1"));
        let _ = happened(counter.submit(request));
    }
    assert_eq!(counter.balance(counter.alice), 1_000);
}

/// What the books refused stays refused under that key, although the money has come meanwhile.
pub fn a_refusal_by_the_books_is_kept_and_replayed<H: Home>() {
    let mut counter = Counter::<H>::open();
    let request = counter.keyed(counter.transfer(100), "t-1");
    let first = counter.submit(request.clone());
    let Decided::Refused { refusal, replayed: false, event: Some(event) } = first else {
        panic!("{first:?}")
    };
    assert_eq!(refusal.code, Code::InsufficientFunds);
    counter.done(counter.deposit(500));
    let kept = Decided::Refused { refusal, replayed: true, event: Some(event) };
    assert_eq!(counter.submit(request.clone()), kept);
    if counter.reopen() {
        assert_eq!(counter.submit(request), kept);
    }
    let under_a_new_key = counter.keyed(counter.transfer(100), "t-2");
    let _ = happened(counter.submit(under_a_new_key));
}

/// Malformed or about an account that is not there: nothing is kept, and the key can be used for the mended request.
pub fn a_request_that_can_never_be_accepted_leaves_its_key_unused<H: Home>() {
    let mut counter = Counter::<H>::open();
    let head = counter.head();
    let nothing = counter.keyed(counter.deposit(0), "d-1");
    let decided = counter.submit(nothing);
    assert_eq!(refused(&decided), Code::AmountNotPositive);
    let elsewhere = ledger::command::Movement {
        from: counter.vault,
        to: ledger::AccountId(9_999),
        amount: 1,
        currency: super::counter::bdt(),
    };
    let elsewhere = counter.keyed(ledger::Command::Deposit(elsewhere), "d-1");
    let decided = counter.submit(elsewhere);
    assert!(matches!(decided, Decided::Refused { event: None, .. }));
    assert_eq!(refused(&decided), Code::UnknownAccount);
    assert_eq!(counter.head(), head);
    let mended = counter.keyed(counter.deposit(5), "d-1");
    let _ = happened(counter.submit(mended));
}

/// An endless stream of refusals would fill the disk for free.
pub fn beyond_the_budget_no_refusal_is_kept<H: Home>() {
    let mut counter = Counter::<H>::with(Settings { refusals: (1, 3), ..Settings::default() });
    for number in 0..3 {
        let request = counter.keyed(counter.transfer(100), &format!("t-{number}"));
        let decided = counter.submit(request);
        assert!(matches!(decided, Decided::Refused { event: Some(_), .. }));
    }
    let head = counter.head();
    let fourth = counter.keyed(counter.transfer(100), "t-4");
    let decided = counter.submit(fourth.clone());
    assert!(matches!(decided, Decided::Throttled(_)), "{decided:?}");
    assert_eq!(counter.head(), head, "nothing was kept");
    let who = counter.other;
    let of_another = Request::new(counter.transfer(100), who).with_key(Digest::of_key(who, "t-1"));
    assert_eq!(
        refused(&counter.submit(of_another)),
        Code::InsufficientFunds,
        "each has a budget of their own"
    );
    counter.clock.pass(SECOND);
    let decided = counter.submit(fourth);
    assert!(matches!(decided, Decided::Refused { replayed: false, event: Some(_), .. }), "{decided:?}");
}

/// After an unknown outcome one asks by key: none means "not decided".
pub fn a_key_can_be_asked_for<H: Home>() {
    let mut counter = Counter::<H>::open();
    let key = Digest::of_key(counter.teller, "d-1");
    assert_eq!(counter.desk.ask(|books| async move { books.claim(key).await }).unwrap(), None);
    let request = counter.keyed(counter.deposit(500), "d-1");
    let event = happened(counter.submit(request));
    let claimed = counter.desk.ask(|books| async move { books.claim(key).await }).unwrap().unwrap();
    assert_eq!(claimed.sequence, event.sequence);
}

/// Keys never expire, and those that have left memory are known as well as new ones.
pub fn ten_thousand_keys_later_the_first_is_still_known<H: Home>() {
    let mut counter = Counter::<H>::open();
    let first = counter.keyed(counter.deposit(1), "d-0");
    let event = happened(counter.submit(first.clone()));
    for batch in 0..20 {
        let requests: Vec<Request> =
            (0..500).map(|one| counter.keyed(counter.deposit(1), &format!("d-{batch}-{one}"))).collect();
        let decided = counter.desk.ask(|books| async move { books.submit_all(requests).await }).unwrap();
        assert!(decided.into_iter().all(|one| matches!(one, Ok(Decided::Accepted { replayed: false, .. }))));
    }
    for restarted in [false, true] {
        if restarted && !counter.reopen() {
            break;
        }
        assert_eq!(counter.submit(first.clone()), Decided::Accepted { event: event.clone(), replayed: true });
        let old = counter.keyed(counter.deposit(1), "d-3-77");
        assert!(matches!(counter.submit(old), Decided::Accepted { replayed: true, .. }));
        let reused = counter.keyed(counter.deposit(2), "d-19-499");
        assert!(matches!(counter.submit(reused), Decided::KeyReused { .. }));
    }
    assert_eq!(counter.balance(counter.alice), 10_001);
}
