//! Rows of balances that somebody changed by hand: found when they are next locked, before anything is decided on
//! them. Nothing is overwritten; a customer's account is frozen, the bank's own goes on.

use bank::sequencer::Fault;
use ledger::{AccountId, Body, Code, Command, Request, Status};
use sim::conformance::{Counter, bdt, refused};

use super::bank::{Shaky, by_hand};

fn bank() -> Counter<Shaky> {
    let mut counter = Counter::<Shaky>::open();
    counter.done(counter.deposit(1_000));
    by_hand(
        &counter.home.database,
        "DROP TRIGGER account_balances_follow; DROP TRIGGER account_balances_stay",
    );
    counter
}

fn change(counter: &Counter<Shaky>, account: AccountId, what: &str) {
    by_hand(
        &counter.home.database,
        &format!("UPDATE account_balances SET {what} WHERE account_id={account}"),
    );
}

/// What was written down: account, what the row said, what the entries say.
fn found(counter: &Counter<Shaky>) -> String {
    let query = "SELECT account_id, cached_balance, entries_balance FROM balance_breaks ORDER BY id";
    by_hand(&counter.home.database, query)
}

fn said(counter: &Counter<Shaky>, account: AccountId) -> String {
    let query = format!("SELECT ledger_balance FROM account_balances WHERE account_id={account}");
    by_hand(&counter.home.database, &query).trim().to_owned()
}

#[test]
fn a_customers_account_is_frozen_before_anything_is_decided_on_it() {
    let mut counter = bank();
    let alice = counter.alice;
    change(&counter, alice, "credits_posted=credits_posted+5");
    let before = counter.head();
    let request = counter.keyed(counter.transfer(10), "after the edit");
    assert_eq!(refused(&counter.submit(request)), Code::AccountFrozen);
    let event = counter.desk.books.reads().event(before.next()).expect("readable").expect("there");
    let Body::AccountChanged { status, .. } = event.body else { panic!("{event:?}") };
    assert_eq!((status, event.subject()), (Some((Status::Active, Status::Frozen)), Some(alice)));
    let why = event.note.as_ref().and_then(|note| note.description.as_deref()).expect("a reason");
    assert!(why.contains("another balance"), "{why}");
    assert_eq!(found(&counter), format!("{alice}\t1005\t1000\n"));
    assert_eq!(said(&counter, alice), "1005", "nothing is overwritten");
    assert_eq!(counter.balance(alice), 1_000, "what is told is what the entries say");
}

#[test]
fn a_break_is_written_down_once_also_by_the_next_service() {
    let mut counter = bank();
    let (alice, vault) = (counter.alice, counter.vault);
    change(&counter, vault, "debits_posted=debits_posted+7");
    for _ in 0..2 {
        counter.done(counter.deposit(1));
    }
    counter.reopen();
    counter.done(counter.deposit(1));
    assert_eq!(found(&counter), format!("{vault}\t1007\t1000\n"));
    change(&counter, vault, "debits_posted=debits_posted+1");
    counter.done(counter.deposit(1));
    assert_eq!(found(&counter), format!("{vault}\t1007\t1000\n{vault}\t1011\t1003\n"), "another one");
    assert_eq!(counter.look(vault).account.status, Status::Active, "the bank's own goes on");
    assert_eq!(counter.balance(alice), 1_004);
}

#[test]
fn a_break_is_written_down_even_if_the_batch_comes_to_nothing() {
    let mut counter = bank();
    let vault = counter.vault;
    change(&counter, vault, "credits_held=credits_held+7");
    let head = counter.head();
    let nothing = Request::new(counter.deposit(0), counter.teller);
    assert_eq!(refused(&counter.submit(nothing)), Code::AmountNotPositive);
    assert_eq!(found(&counter), format!("{vault}\t1000\t1000\n"));
    assert_eq!(counter.head(), head);
}

#[test]
fn any_figure_of_a_row_counts() {
    for what in [
        "version=version+1",
        "version=version-1",
        "last_sequence=last_sequence-1",
        "overdraft_limit=1000000",
        "debits_held=3",
        "debits_posted=5,credits_posted=credits_posted+5",
        "normal_side='DEBIT'",
    ] {
        let mut counter = bank();
        let alice = counter.alice;
        change(&counter, alice, what);
        let request = counter.keyed(counter.transfer(10), "after the edit");
        assert_eq!(refused(&counter.submit(request)), Code::AccountFrozen, "{what}");
    }
}

/// Lifting the freeze does not help while the row is wrong: procedures would decide on it. First it is put right.
#[test]
fn once_a_person_has_put_the_row_right_the_account_can_be_used_again() {
    let mut counter = bank();
    let alice = counter.alice;
    change(&counter, alice, "credits_posted=credits_posted+5");
    let thaw = Command::ChangeAccount {
        account: alice,
        status: Some(Status::Active),
        overdraft_limit: None,
        expected_version: None,
    };
    counter.submit(Request::new(counter.transfer(10), counter.teller));
    counter.done(thaw.clone());
    let frozen_again = counter.submit(Request::new(counter.transfer(10), counter.teller));
    assert_eq!(refused(&frozen_again), Code::AccountFrozen);
    change(&counter, alice, "credits_posted=credits_posted-5");
    counter.done(thaw);
    counter.done(counter.transfer(10));
    assert_eq!(found(&counter), format!("{alice}\t1005\t1000\n"));
    assert_eq!(said(&counter, alice), "990");
}

#[test]
fn a_missing_row_is_named() {
    let mut counter = bank();
    let alice = counter.alice;
    by_hand(&counter.home.database, &format!("DELETE FROM account_balances WHERE account_id={alice}"));
    let request = Request::new(counter.transfer(10), counter.teller);
    let Err(Fault::Unreadable(why)) = counter.try_submit(request) else { panic!("it was decided") };
    assert_eq!(why, format!("the balance of account {alice} has no row"));
    assert_eq!(counter.balance(counter.bob), 0, "everything else goes on");
}

/// Nothing is found where nothing is wrong, whatever moved the balances.
#[test]
fn sound_rows_are_left_alone() {
    let mut counter = Counter::<Shaky>::open();
    counter.done(counter.deposit(1_000));
    let hold = Command::Hold {
        account: counter.alice,
        to: Some(counter.bob),
        amount: 50,
        currency: bdt(),
        expires_at: None,
    };
    let held = counter.done(hold).sequence;
    counter.done(Command::Capture { hold: held, amount: Some(20), to: None });
    counter.done(Command::ChangeAccount {
        account: counter.bob,
        status: None,
        overdraft_limit: Some(77),
        expected_version: None,
    });
    counter.reopen();
    counter.done(counter.transfer(10));
    assert_eq!(found(&counter), "");
    assert_eq!(counter.balance(counter.bob), 30);
}
