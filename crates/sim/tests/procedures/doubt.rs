//! Rows of balances that were edited by hand: the service freezes the account before it decides anything on it, and
//! so must a procedure. A movement continued from such a row would carry a wrong balance under a right chain, and no
//! service would open these books any more.

use bank::store::mysql::Closed;
use ledger::{AccountId, Command, Status};

use super::*;

/// Edits the row of an account as only the owner of the tables can, with the guard out of the way.
pub fn edit(account: AccountId, change: &str) {
    let guard = client("SHOW CREATE TRIGGER account_balances_follow");
    let guard = guard.split('\t').nth(2).expect("its text").replace("\\n", "\n");
    client("DROP TRIGGER account_balances_follow");
    client(&format!("UPDATE account_balances SET {change} WHERE account_id = {account}"));
    client(&format!("DELIMITER //\n{guard}//"));
}

fn breaks() -> String {
    client("SELECT account_id, cached_balance, entries_balance FROM balance_breaks ORDER BY id")
}

fn unfreeze(counter: &mut Counter<Shared>, account: AccountId) {
    let status = Some(Status::Active);
    counter.done(Command::ChangeAccount { account, status, overdraft_limit: None, expected_version: None });
}

#[test]
fn a_movement_does_not_go_on_from_a_row_that_its_entries_do_not_explain() {
    let mut counter = counter();
    let (alice, bob) = (counter.alice, counter.bob);
    counter.done(counter.deposit(1_000));
    assert_eq!(transfer(alice, bob, "1.00", "before").status, "COMPLETED");
    edit(alice, "credits_posted = credits_posted + 777");
    let head_before = head();

    let said = transfer(alice, bob, "1.00", "key");
    failed(&said, "balance_differs");
    assert_eq!(
        said.message,
        format!(
            "balance_differs: Account {alice} stands at 16.77 BDT, its entries say 9.00. Nothing was overwritten. \
             The account is frozen."
        )
    );
    assert_eq!(breaks(), format!("{alice}\t1677\t900\n"));
    assert_eq!(head(), head_before + 1, "the freeze, and nothing else");
    assert_eq!(counter.look(alice).account.status, Status::Frozen);
    assert_eq!((counter.balance(alice), counter.balance(bob)), (900, 100), "nothing moved");
    every_record_is_as_the_codec_writes_it();

    // Asked again, by either side: found once, written down once, and nothing moves.
    failed(&transfer(bob, alice, "1.00", "other way"), "balance_differs");
    let request = counter.keyed(counter.transfer(100), "service");
    let Decided::Refused { refusal, .. } = counter.submit(request) else { panic!("refused") };
    assert_eq!(refusal.code.name(), "account_frozen");
    assert_eq!(breaks().lines().count(), 1);

    // A person puts the row right, unfreezes the account, and is done with it. The key was never used.
    edit(alice, "credits_posted = credits_posted - 777");
    unfreeze(&mut counter, alice);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let reads = counter.desk.books.reads();
    let findings = reads.breaks().expect("books in a database");
    let closed = Closed { at_us: START, by: "carol".into(), reason: "case 17".into() };
    runtime.block_on(findings.close(1, &closed)).expect("a healthy server");
    let found = runtime.block_on(findings.find(1)).expect("a healthy server").expect("it is there");
    assert_eq!(found.closed, Some(closed));
    assert_eq!(transfer(alice, bob, "1.00", "key").status, "COMPLETED");
    assert_eq!((counter.balance(alice), counter.balance(bob)), (800, 200));
    assert!(counter.reopen(), "the books are what they were");
}

/// Whoever finds it first writes the same event: by it alone nobody could tell who it was.
#[test]
fn service_and_procedure_freeze_by_the_same_event() {
    let mut counter = counter();
    let (alice, bob) = (counter.alice, counter.bob);
    counter.done(counter.deposit(1_000));
    counter.done(counter.transfer(100));
    edit(alice, "debits_posted = debits_posted + 1");
    edit(bob, "debits_posted = debits_posted + 1");
    failed(&transfer(alice, counter.alice, "1.00", "same"), "same_account");
    failed(&withdraw(alice, "1.00", "procedure"), "balance_differs");
    let by_procedure = head();
    let request = counter.keyed(
        Command::Withdraw(Movement {
            from: bob,
            to: counter.vault,
            amount: 1,
            currency: Currency::from_code("BDT").expect("in the standard"),
        }),
        "service",
    );
    counter.submit(request);
    assert_eq!(breaks(), format!("{alice}\t899\t900\n{bob}\t99\t100\n"));
    let reads = counter.desk.books.reads();
    let event = |sequence| {
        let event = reads.event(ledger::Sequence(sequence)).expect("readable").expect("it is there");
        (event.body, event.principal, event.actor, event.origin, event.note, event.key)
    };
    assert_eq!(event(by_procedure), event(by_procedure + 1));
}

/// Whatever is off in a row: the sum, the count of events, the link to the newest of them.
#[test]
fn every_column_that_goes_on_in_the_next_entry_is_looked_at() {
    let mut counter = counter();
    let (alice, bob) = (counter.alice, counter.bob);
    counter.done(counter.deposit(1_000));
    counter.done(counter.transfer(100));
    // Its newest event is no entry.
    let hold = Command::Hold {
        account: bob,
        to: None,
        amount: 1,
        currency: Currency::from_code("BDT").expect("in the standard"),
        expires_at: None,
    };
    counter.done(hold);
    let empty = counter.account("empty", AccountType::Liability, NameId(0), 0);
    for (number, (account, there, back)) in [
        (alice, "credits_posted = credits_posted + 1", "credits_posted = credits_posted - 1"),
        (alice, "debits_posted = debits_posted + 1", "debits_posted = debits_posted - 1"),
        (alice, "version = version + 1", "version = version - 1"),
        (alice, "version = version - 1", "version = version + 1"),
        (alice, "last_sequence = last_sequence - 1", "last_sequence = last_sequence + 1"),
        (bob, "credits_posted = credits_posted + 1", "credits_posted = credits_posted - 1"),
        (bob, "version = version + 1", "version = version - 1"),
        (bob, "last_sequence = last_sequence + 1", "last_sequence = last_sequence - 1"),
        (empty, "credits_posted = credits_posted + 1", "credits_posted = credits_posted - 1"),
        (empty, "version = version + 1", "version = version - 1"),
    ]
    .into_iter()
    .enumerate()
    {
        let version = |account| {
            let said = client(&format!(
                "SELECT version, last_sequence FROM account_balances WHERE account_id = {account}"
            ));
            let (version, last) = said.trim().split_once('\t').expect("two columns");
            (version.parse::<u64>().expect("a number"), last.parse::<u64>().expect("a number"))
        };
        let (version_before, last_before) = version(account);
        edit(account, there);
        failed(&deposit(account, "1.00", &format!("key {number}")), "balance_differs");
        assert_eq!(counter.look(account).account.status, Status::Frozen, "{there}");
        // The freeze is an event like any other: one more, and the newest.
        let _ = back;
        edit(
            account,
            &format!("{}, version = {}, last_sequence = {}", sums(back), version_before + 1, head()),
        );
        assert!(last_before < head());
        unfreeze(&mut counter, account);
        let said = deposit(account, "1.00", &format!("key {number}"));
        assert_eq!(said.status, "COMPLETED", "{there}: {said:?}");
    }
    assert!(counter.reopen());
    every_record_is_as_the_codec_writes_it();
}

/// What of an edit is about sums; the rest is put right by its value.
fn sums(edit: &str) -> &str {
    if edit.contains("posted") { edit } else { "debits_posted = debits_posted" }
}

/// The whole bank would stop with its vault; but no procedure goes on from a wrong row of it.
#[test]
fn a_wrong_row_of_the_banks_own_is_written_down_and_freezes_nothing() {
    let mut counter = counter();
    let (alice, vault) = (counter.alice, counter.vault);
    counter.done(counter.deposit(900));
    assert_eq!(deposit(alice, "1.00", "before").status, "COMPLETED");
    edit(vault, "debits_posted = debits_posted + 5");
    let before = head();
    failed(&deposit(alice, "1.00", "key"), "balance_differs");
    failed(&deposit(alice, "1.00", "key"), "balance_differs");
    assert_eq!(breaks(), format!("{vault}\t1005\t1000\n"));
    assert_eq!(head(), before, "no event");
    assert_eq!(counter.look(vault).account.status, Status::Active);
    counter.done(counter.deposit(1));
    assert_eq!(breaks().lines().count(), 1, "the service knows of it, and goes on");
    edit(vault, "debits_posted = debits_posted - 5");
    assert_eq!(deposit(alice, "1.00", "key").status, "COMPLETED");
}

/// Both rows of a movement are wrong: both are found by one call.
#[test]
fn two_wrong_rows_are_found_at_once() {
    let mut counter = counter();
    let (alice, vault) = (counter.alice, counter.vault);
    counter.done(counter.deposit(1_000));
    edit(vault, "debits_posted = debits_posted + 5");
    edit(alice, "credits_posted = credits_posted + 7");
    failed(&deposit(alice, "1.00", "key"), "balance_differs");
    assert_eq!(breaks(), format!("{vault}\t1005\t1000\n{alice}\t1007\t1000\n"));
    assert_eq!(counter.look(alice).account.status, Status::Frozen);
    every_record_is_as_the_codec_writes_it();
}
