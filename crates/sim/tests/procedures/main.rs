//! The stored procedures beside the service, on the same accounts of one bank in MariaDB.
//!
//! What one side wrote the other must understand: the service folds what the procedures wrote, and checks the
//! chain, links, versions and balances as it does; each answers the requests that the other has decided.

mod doubt;

use std::cell::RefCell;

use bank::books::Decided;
use bank::store::mysql;
use journal::Identity;
use ledger::command::Movement;
use ledger::{AccountId, AccountType, Command, Currency, Date, Digest, NameId, Note, Request, Status, codec};
use sim::conformance::{Counter, Home};
use sim::desk::{Desk, Settings};
use sim::server::{Database, MariaDb};
use sim::time::{START, SimClock};

thread_local! {
    /// The database of the test's bank, for clients of their own.
    static DATABASE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Books in a database that clients reach, too.
struct Shared(Database);

impl Home for Shared {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        let database = MariaDb::shared().migrated();
        let name = database.url.rsplit('/').next().expect("a URL names its database");
        DATABASE.set(name.to_owned());
        Shared(database)
    }

    fn open(&mut self, clock: SimClock, settings: &Settings) -> Desk {
        let identity = Identity { bank: [7; 16], timeline: 1 };
        let fresh = mysql::Fresh { identity, name: "Simulated Bank".into(), time: clock.now() };
        let opened = mysql::open(&self.0.settings(), &fresh).expect("a healthy server");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}

/// The counter of a bank whose teller has the vault for a drawer.
fn counter() -> Counter<Shared> {
    let counter = Counter::<Shared>::open();
    client(&format!("INSERT INTO tellers (banker, drawer_account_id) VALUES ('teller', {})", counter.vault));
    counter
}

fn client(statements: &str) -> String {
    MariaDb::shared().client(&DATABASE.with_borrow(Clone::clone), statements)
}

/// What a procedure answered.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    id: Option<u64>,
    status: String,
    message: String,
}

fn told(call: &str) -> Told {
    let line = client(&format!("CALL {call}, @id, @status, @message); SELECT @id, @status, @message"));
    let mut parts = line.trim_end().split('\t').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_else(|| panic!("three answers, not {line}"));
    Told { id: next().parse().ok(), status: next(), message: next() }
}

fn deposit(account: AccountId, amount: &str, key: &str) -> Told {
    told(&format!("sp_deposit({account}, {amount}, NULL, 'teller', '{key}'"))
}

fn withdraw(account: AccountId, amount: &str, key: &str) -> Told {
    told(&format!("sp_withdraw({account}, {amount}, NULL, 'teller', '{key}'"))
}

fn transfer(from: AccountId, to: AccountId, amount: &str, key: &str) -> Told {
    told(&format!("sp_transfer({from}, {to}, {amount}, NULL, 'teller', '{key}'"))
}

/// The bank's answer to all who ask it wrongly, or not now.
fn failed(told: &Told, code: &str) {
    assert_eq!((told.id, told.status.as_str()), (None, "FAILED"), "{told:?}");
    assert!(told.message.starts_with(&format!("{code}: ")), "{code}: {told:?}");
}

fn head() -> u64 {
    client("SELECT sequence FROM ledger_head").trim().parse().expect("a number")
}

/// Every record is what the codec makes of the event in it: not a byte is left to chance.
fn every_record_is_as_the_codec_writes_it() {
    for line in client("SELECT sequence, HEX(record) FROM events ORDER BY sequence").lines() {
        let (sequence, hex) = line.split_once('\t').expect("two columns");
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
        let hashed: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let mut record = hashed.clone();
        record.resize(usize::from(hashed[2]) * codec::SLOT, 0);
        let event = codec::decode(&record).unwrap_or_else(|error| panic!("event {sequence}: {error}"));
        let mut again = Vec::new();
        codec::encode(&event, &mut again);
        assert_eq!(again[..hashed.len()], hashed, "event {sequence}: {event:?}");
        assert_eq!(again.len(), record.len(), "event {sequence}: its slots");
    }
}

#[test]
fn a_key_used_by_either_side_is_answered_by_the_other() {
    let mut counter = counter();
    let request = counter.keyed(counter.deposit(500), "by-service");
    let Ok(Decided::Accepted { event, .. }) = counter.try_submit(request) else { panic!("accepted") };
    let again = deposit(counter.alice, "5.00", "by-service");
    assert_eq!((again.id, again.status.as_str()), (Some(event.sequence.0), "COMPLETED"), "{again:?}");
    failed(&deposit(counter.alice, "5.01", "by-service"), "idempotency_key_reused");

    let first = transfer(counter.alice, counter.bob, "2.00", "by-procedure");
    assert_eq!(first.status, "COMPLETED", "{first:?}");
    assert_eq!(transfer(counter.alice, counter.bob, "2.00", "by-procedure"), first);
    let request = counter.keyed(counter.transfer(200), "by-procedure");
    match counter.submit(request) {
        Decided::Accepted { event, replayed: true } => assert_eq!(Some(event.sequence.0), first.id),
        other => panic!("a replay: {other:?}"),
    }
    let request = counter.keyed(counter.transfer(201), "by-procedure");
    assert!(matches!(counter.submit(request), Decided::KeyReused { .. }));
    assert_eq!((counter.balance(counter.alice), counter.balance(counter.bob)), (300, 200));
    every_record_is_as_the_codec_writes_it();
}

/// A description is part of the intent: its bytes, in whatever character set the client speaks.
#[test]
fn a_text_is_the_same_intent_in_any_character_set() {
    let mut counter = counter();
    let first = client(&format!(
        "SET NAMES latin1; CALL sp_deposit({}, 5, _latin1 x'4361666520E9', 'teller', 'text', @id, @status, @m); \
         SELECT @id",
        counter.alice
    ));
    let note = Note { description: Some("Cafe é".into()), ..Note::default() };
    let request = Request { note: Some(note.into()), ..Request::new(counter.deposit(500), counter.teller) };
    match counter.submit(request.with_key(Digest::of_key(counter.teller, "text"))) {
        Decided::Accepted { event, replayed: true } => assert_eq!(event.sequence.to_string(), first.trim()),
        other => panic!("a replay: {other:?}"),
    }
}

#[test]
fn a_refusal_is_the_same_sentence_on_both_sides_and_is_kept_for_both() {
    let mut counter = counter();
    let (alice, bob) = (counter.alice, counter.bob);
    let rich = counter.account("rich", AccountType::Liability, NameId(0), i64::MAX);
    let full = counter.account("full", AccountType::Liability, NameId(0), 0);
    counter.done(counter.deposit(300_000));
    assert_eq!(transfer(alice, full, "1.00", "one").status, "COMPLETED");
    let shut = counter.account("shut", AccountType::Liability, NameId(0), 0);
    let frozen = counter.account("frozen", AccountType::Liability, NameId(0), 0);
    for (account, status) in [(shut, Status::Closed), (frozen, Status::Frozen)] {
        let status = Some(status);
        counter.done(Command::ChangeAccount {
            account,
            status,
            overdraft_limit: None,
            expected_version: None,
        });
    }
    let largest = "92233720368547758.07";
    for (key, from, to, amount, minor) in [
        ("funds", alice, bob, "5000.00", 500_000),
        ("closed", alice, shut, "1", 100),
        ("frozen", frozen, bob, "1", 100),
        ("overflow", rich, full, largest, i64::MAX),
    ] {
        let said = transfer(from, to, amount, key);
        let currency = Currency::from_code("BDT").expect("in the standard");
        let request = counter.keyed(Command::Transfer(Movement { from, to, amount: minor, currency }), key);
        let Decided::Refused { refusal, replayed: true, .. } = counter.submit(request) else {
            panic!("{key}: refused before: {said:?}")
        };
        failed(&said, refusal.code.name());
        assert_eq!(said.message, format!("{}: {refusal}", refusal.code.name()));
        // And the other way round: the service first, under another key.
        let command = Command::Transfer(Movement { from, to, amount: minor, currency });
        let request = counter.keyed(command, &format!("{key} again"));
        assert!(matches!(counter.submit(request), Decided::Refused { replayed: false, .. }));
        let again = transfer(from, to, amount, &format!("{key} again"));
        assert_eq!(again, said);
    }
    counter.done(Command::CloseDay { date: Date::of_micros(START) });
    let said = withdraw(alice, "1", "day");
    assert_eq!(said.message, "no_open_day: Every transaction belongs to an open business day.");
    every_record_is_as_the_codec_writes_it();
}

#[test]
fn what_can_never_be_accepted_leaves_no_trace() {
    let counter = counter();
    let (alice, bob, vault) = (counter.alice, counter.bob, counter.vault);
    let before = head();
    for (call, code) in [
        ("sp_deposit(NULL, 1, NULL, 'teller', 'k'".to_owned(), "malformed_request"),
        (format!("sp_deposit({alice}, NULL, NULL, 'teller', 'k'"), "malformed_request"),
        (format!("sp_deposit({alice}, 1, NULL, NULL, 'k'"), "malformed_request"),
        (format!("sp_deposit({alice}, 1, NULL, 'two words', 'k'"), "malformed_request"),
        (format!("sp_deposit({alice}, 1, NULL, 'internal:cards', 'k'"), "malformed_request"),
        (format!("sp_deposit({alice}, 1, 'a\nb', 'teller', 'k'"), "malformed_request"),
        (format!("sp_deposit({alice}, 1, NULL, 'teller', NULL"), "idempotency_key_missing"),
        (format!("sp_deposit({alice}, 1, NULL, 'teller', ''"), "idempotency_key_malformed"),
        (format!("sp_deposit({alice}, 1, NULL, 'teller', x'61FF62'"), "idempotency_key_malformed"),
        (format!("sp_deposit({alice}, 1, NULL, 'teller', REPEAT('k', 256)"), "idempotency_key_malformed"),
        (format!("sp_deposit({alice}, 1, REPEAT('x', 513), 'teller', 'k'"), "text_too_long"),
        (format!("sp_deposit({alice}, 0, NULL, 'teller', 'k'"), "amount_not_positive"),
        (format!("sp_deposit({alice}, -1, NULL, 'teller', 'k'"), "amount_not_positive"),
        (format!("sp_deposit({alice}, 0.001, NULL, 'teller', 'k'"), "too_many_decimals"),
        (format!("sp_deposit({alice}, 92233720368547758.08, NULL, 'teller', 'k'"), "amount_too_large"),
        (format!("sp_deposit({alice}, 1, NULL, 'other', 'k'"), "drawer_required"),
        ("sp_deposit(999, 1, NULL, 'teller', 'k'".to_owned(), "account_not_found"),
        ("sp_deposit(-1, 1, NULL, 'teller', 'k'".to_owned(), "account_not_found"),
        (format!("sp_deposit({vault}, 1, NULL, 'teller', 'k'"), "wrong_account_type"),
        (format!("sp_transfer({alice}, {vault}, 1, NULL, 'teller', 'k'"), "wrong_account_type"),
        (format!("sp_transfer({alice}, {alice}, 1, NULL, 'teller', 'k'"), "same_account"),
        (format!("sp_transfer({alice}, 999, 1, NULL, 'nobody-yet', 'k'"), "account_not_found"),
    ] {
        failed(&told(&call), code);
        assert_eq!(head(), before, "{call}");
    }
    assert_eq!(deposit(bob, "1", "k").status, "COMPLETED", "the key was never used");
}

/// A key is its principal's: nobody else is answered by it, and nobody else's request is in its way.
#[test]
fn somebody_elses_key_is_another_key() {
    let mut counter = counter();
    counter.done(counter.deposit(1_000));
    let (alice, bob) = (counter.alice, counter.bob);
    let mine = transfer(alice, bob, "1.00", "shared");
    let theirs = told(&format!("sp_transfer({alice}, {bob}, 2.00, NULL, 'other', 'shared'"));
    assert_eq!((mine.status.as_str(), theirs.status.as_str()), ("COMPLETED", "COMPLETED"));
    assert_ne!(mine.id, theirs.id);
    assert_eq!(transfer(alice, bob, "1.00", "shared"), mine);
    failed(&transfer(alice, bob, "2.00", "shared"), "idempotency_key_reused");
    assert_eq!(counter.balance(bob), 300);
}

/// The clock of the database server is years behind the services': time stands still for it, and never goes back.
#[test]
fn a_server_whose_clock_is_behind_books_at_the_newest_time() {
    let mut counter = counter();
    counter.clock.pass(50 * 365 * sim::time::DAY);
    let newest = counter.done(counter.deposit(1_000)).time;
    let said = transfer(counter.alice, counter.bob, "1.00", "key");
    let id = ledger::Sequence(said.id.unwrap_or_else(|| panic!("{said:?}")));
    counter.balance(counter.bob);
    let event = counter.desk.books.reads().event(id).expect("readable").expect("it is there");
    assert_eq!(event.time, newest);
    assert!(counter.done(counter.deposit(1)).time >= newest);
}

/// `START TRANSACTION` inside a caller's transaction would commit the caller's half-done work.
#[test]
fn a_call_inside_a_transaction_is_refused_and_leaves_it_alone() {
    let counter = counter();
    let (alice, vault) = (counter.alice, counter.vault);
    let said = client(&format!(
        "START TRANSACTION; INSERT INTO tellers (banker, drawer_account_id) VALUES ('half-done', {vault}); \
         CALL sp_deposit({alice}, 1, NULL, 'teller', 'k', @id, @status, @message); ROLLBACK; \
         SELECT @message; SELECT COUNT(*) FROM tellers WHERE banker = 'half-done'"
    ));
    assert!(said.starts_with("transaction_in_progress: ") && said.trim_end().ends_with("\n0"), "{said}");
    assert_eq!(deposit(alice, "1", "k").status, "COMPLETED");
}

/// A cached balance was edited by hand. The procedure of the case study would have overwritten it, and with it
/// the only trace of what had happened.
#[test]
fn a_wrong_balance_is_written_down_and_freezes_a_customer_but_not_the_bank() {
    let mut counter = counter();
    let (alice, vault) = (counter.alice, counter.vault);
    counter.done(counter.deposit(1_000));
    let rebuild = |account: AccountId| {
        client(&format!("CALL sp_rebuild_balance({account}, @old, @new, @s, @m); SELECT @old, @new, @s, @m"))
    };
    let said = rebuild(alice);
    assert!(said.starts_with("10.0000\t10.0000\tCOMPLETED\t"), "{said}");

    doubt::edit(alice, "credits_posted = credits_posted + 777");
    doubt::edit(vault, "debits_posted = debits_posted + 1");
    let said = rebuild(alice);
    assert!(said.starts_with("17.7700\t10.0000\tFAILED\tbalance_differs: "), "{said}");
    assert!(rebuild(vault).contains("FAILED\tbalance_differs: "));
    assert_eq!(
        client("SELECT account_id, cached_balance, entries_balance FROM balance_breaks ORDER BY id"),
        format!("{alice}\t1777\t1000\n{vault}\t1001\t1000\n")
    );
    let kept = client(&format!("SELECT ledger_balance FROM account_balances WHERE account_id = {alice}"));
    assert_eq!(kept.trim(), "1777", "nothing is overwritten");
    assert_eq!(counter.look(alice).account.status, Status::Frozen);
    assert_eq!(counter.balance(alice), 1_000, "the events know better");
    assert_eq!(counter.look(vault).account.status, Status::Active);
    every_record_is_as_the_codec_writes_it();
}

#[test]
fn service_and_procedures_move_the_same_money_at_the_same_time() {
    let mut counter = counter();
    counter.done(counter.deposit(1_000_000));
    let (alice, bob) = (counter.alice, counter.bob);
    let database = DATABASE.with_borrow(Clone::clone);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let database = database.clone();
                scope.spawn(move || {
                    let own = if client % 2 == 0 { (alice, bob) } else { (bob, alice) };
                    let call = |number: u32| {
                        let shared = number.is_multiple_of(5);
                        let key = if shared { format!("all {number}") } else { format!("{client}-{number}") };
                        let (from, to) = if shared { (alice, bob) } else { own };
                        format!(
                            "CALL sp_transfer({from}, {to}, 0.03, NULL, 'teller', '{key}', @i, @s, @m); \
                             SELECT @i, IF(@s = 'COMPLETED' OR @m LIKE 'insufficient_funds: %', 'decided', @m);"
                        )
                    };
                    MariaDb::shared().client(&database, &(0..40).map(call).collect::<String>())
                })
            })
            .collect();
        for number in 0..40 {
            let request = counter.keyed(counter.transfer(3), &format!("service {number}"));
            assert!(matches!(counter.submit(request), Decided::Accepted { replayed: false, .. }));
        }
        for client in clients {
            let said = client.join().expect("no deadlock, no error");
            assert!(said.lines().all(|line| line.ends_with("\tdecided")), "{said}");
        }
    });
    assert_eq!(counter.balance(alice) + counter.balance(bob), 1_000_000);
    let cached = client("SELECT SUM(ledger_balance) FROM account_balances WHERE normal_side = 'CREDIT'");
    assert_eq!(cached.trim(), "1000000");
    let twice = client("SELECT COUNT(*), COUNT(DISTINCT digest) FROM idempotency_keys");
    // Eight shared keys, 8 × 32 of their own, 40 of the service.
    assert_eq!(twice.trim(), "304\t304");
    assert!(counter.reopen(), "the chain and every link hold from the first event on");
    assert_eq!(counter.balance(alice) + counter.balance(bob), 1_000_000);
    every_record_is_as_the_codec_writes_it();
}
