//! Every question to the tables goes by an index: no table is walked, nothing is sorted, however large the books are.
//!
//! The server itself keeps the count, for every statement, those inside of procedures and triggers too. The books
//! are filled with [`TRANSFERS`] transfers, and the server's statistics are set to what ten million would make of
//! them; `BANKCORE_PLAN_TRANSFERS=10000000` fills them in earnest.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use bank::books::Decided;
use bank::books::history::{self, From, Moment, Place};
use bank::store::mysql::{self, Closed};
use ledger::command::{Movement, OpenAccount};
use ledger::{AccountId, AccountType, Command, Digest, NameId, Note, Request, Sequence, Status};
use sim::conformance::{Counter, Home, bdt};
use sim::desk::{self, Desk};
use sim::server::{Database, MariaDb};
use sim::time::{SECOND, SimClock};

use super::{fresh, name, wait};

const TRANSFERS: u64 = 20_000;
/// What the statistics pretend.
const PRETENDED: u64 = 10_000_000;
const ACCOUNTS: u64 = 200;
const BATCH: u64 = 1_000;
/// Balances that differed, of which one in a hundred is not closed yet.
const BREAKS: u64 = 5_000;

/// A server that counts.
fn server() -> &'static MariaDb {
    static SERVER: OnceLock<MariaDb> = OnceLock::new();
    SERVER.get_or_init(|| MariaDb::start_with(&["--performance-schema=ON"]))
}

thread_local! {
    static DATABASE: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Watched(Database);

impl Home for Watched {
    const SURVIVES: bool = true;

    fn fresh() -> Watched {
        let database = server().migrated();
        DATABASE.set(name(&database).to_owned());
        Watched(database)
    }

    fn open(&mut self, clock: SimClock, settings: &desk::Settings) -> Desk {
        let opened = mysql::open(&self.0.settings(), &fresh()).expect("a healthy server");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}

fn client(statements: &str) -> String {
    server().client(&DATABASE.with_borrow(Clone::clone), statements)
}

fn transfers() -> u64 {
    let asked = std::env::var("BANKCORE_PLAN_TRANSFERS").ok();
    asked.map_or(TRANSFERS, |number| number.parse().expect("a number of transfers"))
}

/// Books with many transfers between many accounts, every fifth with a reference.
fn filled() -> (Counter<Watched>, Vec<AccountId>) {
    let mut counter = Counter::<Watched>::open();
    let teller = counter.teller;
    let open = |number: u64| {
        let wish = OpenAccount {
            account_type: AccountType::Liability,
            currency: bdt(),
            status: Status::Active,
            overdraft_limit: 1 << 50,
            owner: NameId(1),
            number: Some(format!("N-{number}").into()),
            name: "an account".into(),
        };
        Request::new(Command::OpenAccount(Box::new(wish)), teller)
    };
    let first = counter.bob.0 + 1;
    batch(&mut counter, (0..ACCOUNTS).map(open).collect());
    let accounts: Vec<AccountId> = (first..first + ACCOUNTS).map(AccountId).collect();
    let account = |number: u64| accounts[(number * 7_919 % ACCOUNTS) as usize];
    for start in (0..transfers()).step_by(BATCH as usize) {
        let request = |number: u64| {
            let (from, to) = (account(number), account(number + 1 + number / ACCOUNTS % (ACCOUNTS - 1)));
            let movement = Movement { from, to, amount: 1 + number as i64 % 100, currency: bdt() };
            let reference = number.is_multiple_of(5).then(|| format!("INV-{}", number / 50).into());
            let note = reference.map(|reference| Note { reference: Some(reference), ..Note::default() });
            let request = Request::new(Command::Transfer(movement), teller);
            let request = Request { note: note.map(Into::into), ..request };
            request.with_key(Digest::of_key(teller, &format!("fill {number}")))
        };
        batch(&mut counter, (start..start + BATCH).map(request).collect());
    }
    client(&format!(
        "INSERT INTO balance_breaks \
         (account_id, found_us, as_of, cached_balance, entries_balance, found_by, closed_us, closed_by, reason) \
         SELECT account_id, 1, transaction_id, 1, 2, 'a service', IF(shut, 2, NULL), IF(shut, 'carol', NULL), \
         IF(shut, 'looked', NULL) FROM (SELECT *, transaction_id % 100 <> 0 AS shut FROM ledger_entries LIMIT {BREAKS}) AS found"
    ));
    (counter, accounts)
}

fn batch(counter: &mut Counter<Watched>, requests: Vec<Request>) {
    let decided = counter.desk.ask(|books| async move { books.submit_all(requests).await });
    for decided in decided.expect("no faults here") {
        let decided = decided.expect("no faults here");
        assert!(matches!(decided, Decided::Accepted { replayed: false, .. }), "{decided:?}");
    }
}

/// Tells the server that the tables are as large as ten million transfers make them.
fn pretend() {
    let database = DATABASE.with_borrow(Clone::clone);
    let times = (PRETENDED / transfers()).max(1);
    let tables = client(
        "SELECT table_name FROM information_schema.tables WHERE table_schema=DATABASE() AND table_type='BASE TABLE'",
    );
    let list = tables.lines().collect::<Vec<_>>().join(",");
    client(&format!(
        "SET GLOBAL innodb_stats_auto_recalc=0; ANALYZE TABLE {list}; \
         UPDATE mysql.innodb_table_stats SET n_rows=n_rows*{times}, clustered_index_size=clustered_index_size*{times}, \
         sum_of_other_index_sizes=sum_of_other_index_sizes*{times} WHERE database_name='{database}' AND n_rows>1000; \
         UPDATE mysql.innodb_index_stats SET stat_value=stat_value*{times} WHERE database_name='{database}' AND stat_value>1000; \
         FLUSH TABLES"
    ));
}

/// What a bank asks of its tables from day to day.
fn work(counter: &mut Counter<Watched>, accounts: &[AccountId]) {
    let (from, to, teller) = (accounts[0], accounts[1], counter.teller);
    assert!(counter.reopen());
    let movement = |amount| Command::Transfer(Movement { from, to, amount, currency: bdt() });
    for number in 0..20 {
        let request = counter.referring(movement(1), &format!("NEW-{number}"));
        let key = Digest::of_key(teller, &format!("new {number}"));
        counter.submit(request.with_key(key));
        // A replay.
        let replay = counter.referring(movement(1), &format!("NEW-{number}"));
        counter.submit(replay.with_key(key));
    }
    let hold = |expires_at| Command::Hold { account: from, to: None, amount: 5, currency: bdt(), expires_at };
    let expires_at = counter.clock.now() + SECOND;
    counter.done(hold(Some(expires_at)));
    let held = counter.done(hold(None)).sequence;
    counter.done(Command::Capture { hold: held, amount: None, to: Some(to) });
    counter.submit(Request::new(Command::Void { hold: held }, teller));
    counter.clock.pass(2 * SECOND);
    counter.done(movement(1));
    counter.desk.ask(|books| async move { books.hold(held).await }).expect("no faults here");
    let key = Digest::of_key(teller, "fill 7");
    assert!(
        counter.desk.ask(|books| async move { books.claim(key).await }).expect("no faults here").is_some()
    );

    let account = counter.look(from).account;
    let books = counter.desk.books.clone();
    let reads = books.reads();
    let all = 0..=u64::MAX;
    for way in [From::Down(u64::MAX), From::Down(50), From::Up(1), From::Up(account.version / 2)] {
        let page = history::page(&**reads, from, &account, way, &all, 50, |_| true).expect("no faults here");
        assert!(!page.steps.is_empty());
    }
    for place in [
        Place::Version(3),
        Place::At(Moment::Sequence(Sequence(counter.head().0 / 2))),
        Place::At(Moment::Time(counter.clock.now())),
    ] {
        assert!(reads.seek(from, &account, place).expect("no faults here").is_some());
    }
    assert_eq!(reads.by_reference("INV-3", Sequence(u64::MAX >> 1), 7).expect("no faults here").len(), 7);
    assert!(reads.event(Sequence(500)).expect("no faults here").is_some());
    let mut seen = 0;
    let scanned = reads.scan(Sequence(counter.head().0 / 2), &mut |_| {
        seen += 1;
        if seen < 5_000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    scanned.expect("no faults here");

    let vault = counter.vault;
    client(&format!("INSERT INTO tellers (banker, drawer_account_id) VALUES ('teller', {vault})"));
    for call in [
        format!("sp_deposit({from}, 100, 'cash', 'teller', 'd', @i, @s, @m)"),
        format!("sp_withdraw({from}, 1, NULL, 'teller', 'w', @i, @s, @m)"),
        format!("sp_transfer({from}, {to}, 1, NULL, 'somebody-new', 't', @i, @s, @m)"),
        format!("sp_transfer({from}, {to}, 1, NULL, 'somebody-new', 't', @i, @s, @m)"),
        format!("sp_transfer({from}, {vault}, 1, NULL, 'teller', 'x', @i, @s, @m)"),
        format!("sp_transfer({bob}, {to}, 1, NULL, 'teller', 'f', @i, @s, @m)", bob = counter.bob),
        format!("sp_rebuild_balance({from}, @old, @new, @s, @m)"),
    ] {
        walks_no_table(&call);
    }
    counter.balance(from);
    let breaks = reads.breaks().expect("books in a database");
    let closed = Closed { at_us: 1, by: "carol".into(), reason: "looked".into() };
    for open in [None, Some(true), Some(false)] {
        wait(breaks.list(open, 0, 50)).expect("no faults here");
    }
    wait(breaks.close(1, &closed)).expect("no faults here");
}

/// MariaDB counts what is inside of procedures and triggers for the session only.
fn walks_no_table(call: &str) {
    let figures = "SHOW SESSION STATUS WHERE variable_name IN \
                   ('Select_scan', 'Select_full_join', 'Select_range_check', 'Sort_rows', 'Sort_scan');";
    let said = client(&format!("{figures}{figures}CALL {call};{figures}"));
    let figures: Vec<u64> = said
        .lines()
        .map(|line| line.rsplit('\t').next().expect("a value").parse().expect("a number"))
        .collect();
    let [before, asked, after] = [0, 1, 2].map(|at| &figures[at * 5..at * 5 + 5]);
    for kind in 0..5 {
        // Asking walks the list of figures.
        assert_eq!(after[kind] - asked[kind], asked[kind] - before[kind], "{call}: {said}");
    }
}

#[test]
fn every_question_goes_by_an_index() {
    let (mut counter, accounts) = filled();
    pretend();
    client("TRUNCATE TABLE performance_schema.events_statements_summary_by_digest");
    work(&mut counter, &accounts);
    // What the driver notes of migrations is its own concern: a dozen rows, read when the books are opened.
    let of_tables = "schema_name=DATABASE() AND digest_text NOT LIKE '%information_schema%' \
                     AND digest_text NOT LIKE '%performance_schema%' AND digest_text NOT LIKE '%_sqlx_migrations%' \
                     AND digest_text NOT LIKE 'EXPLAIN%' AND digest_text NOT LIKE 'SHOW%'";
    let counted = client(&format!(
        "SELECT COUNT(*) FROM performance_schema.events_statements_summary_by_digest WHERE {of_tables} \
         AND digest_text LIKE '%SELECT%'"
    ));
    assert!(counted.trim().parse::<u64>().expect("a number") > 15, "the server counts: {counted}");
    // MySQL also calls a scan what follows an index in its order and stops at a LIMIT.
    let stops = "sum_no_index_used=0 AND digest_text LIKE '%LIMIT ?' AND sum_rows_examined<=2*sum_rows_sent";
    let walked = client(&format!(
        "SELECT sum_select_scan, sum_select_full_join, sum_no_index_used, sum_sort_rows, sum_rows_examined, digest_text \
         FROM performance_schema.events_statements_summary_by_digest WHERE {of_tables} \
         AND ((sum_select_scan>0 AND NOT ({stops})) OR sum_select_full_join>0 OR sum_sort_rows>0) \
         ORDER BY sum_rows_examined DESC"
    ));
    assert_eq!(
        walked, "",
        "scans, joins without an index, neither used, rows sorted, rows looked at, statement"
    );
}

/// What docs/performance.md says of the plans is what the server says.
#[test]
fn the_plans_are_as_documented() {
    let (counter, accounts) = filled();
    pretend();
    let account = accounts[0];
    let head = counter.head().0;
    let digests = client("SELECT CONCAT('0x', HEX(digest)) FROM idempotency_keys LIMIT 3");
    let digests = digests.lines().collect::<Vec<_>>().join(",");
    for (question, keys) in [
        (
            format!(
                "SELECT record FROM events WHERE sequence > {} AND sequence <= {head} ORDER BY sequence",
                head - 50
            ),
            "PRIMARY",
        ),
        (
            format!(
                "SELECT e.record FROM ledger_entries AS at STRAIGHT_JOIN events AS e ON e.sequence=at.transaction_id \
                 WHERE at.account_id={account} AND at.version BETWEEN 3 AND 60"
            ),
            "by_account PRIMARY",
        ),
        (
            format!(
                "SELECT e.record FROM account_events AS at STRAIGHT_JOIN events AS e ON e.sequence=at.sequence \
                 WHERE at.account_id={account} AND at.version BETWEEN 3 AND 60"
            ),
            "PRIMARY PRIMARY",
        ),
        (
            format!(
                "SELECT balance_after FROM ledger_entries WHERE account_id={account} \
                 ORDER BY version DESC, position DESC LIMIT 1"
            ),
            "by_account",
        ),
        (
            format!(
                "SELECT id FROM transactions WHERE reference_digest=x'{}' AND id<{head} ORDER BY id DESC LIMIT 7",
                "00".repeat(16)
            ),
            "by_reference",
        ),
        (format!("SELECT sequence FROM idempotency_keys WHERE digest IN ({digests})"), "PRIMARY"),
        (
            format!(
                "SELECT account_id FROM account_balances WHERE account_id IN ({account},2) ORDER BY account_id FOR UPDATE"
            ),
            "PRIMARY",
        ),
        (
            "SELECT id FROM balance_breaks WHERE id >= 1 AND closed_us IS NULL ORDER BY id LIMIT 51".into(),
            "by_state",
        ),
        (
            "SELECT id FROM balance_breaks FORCE INDEX (PRIMARY) WHERE id >= 1 AND closed_us IS NOT NULL \
             ORDER BY id LIMIT 51"
                .into(),
            "PRIMARY",
        ),
    ] {
        let plan = client(&format!("EXPLAIN FORMAT=TRADITIONAL {question}"));
        let mut used = Vec::new();
        for line in plan.lines() {
            assert!(!line.contains("filesort") && !line.contains("temporary"), "{question}: {line}");
            let row: Vec<&str> = line.split('\t').collect();
            // MySQL has a column more, the partitions.
            let key = if row.len() > 10 { row[6] } else { row[5] };
            used.push(key.to_owned());
        }
        assert_eq!(used.join(" "), keys, "{question}: {plan}");
    }
}
