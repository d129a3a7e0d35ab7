//! A small bank in a database, with an event of most kinds, and hands that change it.

use std::cell::RefCell;

use ::bank::store::mysql::{self, Settings};
use ::bank::verify::{self, Report};
use ledger::command::{Extent, Original};
use ledger::entry::Line;
use ledger::{Command, Currency, Note, Request, Status, TransactionKind};
use sim::conformance::{Counter, Home};
use sim::desk::{self, Desk};
use sim::server::{Database, MariaDb};
use sim::time::SimClock;

thread_local! {
    /// Where the test's bank is, for hands of their own.
    static URL: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Books in a database that others can reach.
pub struct Kept(Database);

impl Home for Kept {
    const SURVIVES: bool = true;

    fn fresh() -> Self {
        let database = MariaDb::shared().migrated();
        URL.set(database.url.clone());
        Kept(database)
    }

    fn open(&mut self, clock: SimClock, settings: &desk::Settings) -> Desk {
        let fresh = mysql::Fresh {
            identity: journal::Identity { bank: [7; 16], timeline: 1 },
            name: "Simulated Bank".into(),
            time: clock.now(),
        };
        let opened = mysql::open(&self.0.settings(), &fresh).expect("a healthy server");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}

pub struct Bank {
    counter: Counter<Kept>,
    url: String,
}

impl Bank {
    /// Events 1 to 7 open it; 8 is a deposit with all that one can have, 18 the newest.
    pub fn open() -> Bank {
        let mut counter = Counter::<Kept>::open();
        let note =
            Note { reference: Some("INV-7".into()), description: Some("rent".into()), ..Note::default() };
        let mut deposit = counter.keyed(counter.deposit(1_000), "first");
        deposit.note = Some(note.into());
        counter.submit(deposit);
        assert_eq!(counter.head().0, 8);
        let transfer = counter.done(counter.transfer(250));
        let hold = |amount, to| Command::Hold {
            account: ledger::AccountId(2),
            to,
            amount,
            currency: Currency::from_code("BDT").expect("in the standard"),
            expires_at: None,
        };
        let held = counter.done(hold(100, None));
        counter.done(Command::Capture { hold: held.sequence, amount: Some(60), to: Some(counter.bob) });
        let promised = counter.done(hold(10, Some(counter.bob)));
        counter.done(Command::Void { hold: promised.sequence });
        let lines: Vec<Line> = transfer.posted().map(ledger::Entry::line).collect();
        let original =
            Original { sequence: transfer.sequence, kind: TransactionKind::Transfer, lines: lines.into() };
        counter.done(Command::Reverse { original: original.into(), extent: Extent::Amount(50) });
        let change = |status, overdraft_limit| Command::ChangeAccount {
            account: ledger::AccountId(3),
            status,
            overdraft_limit,
            expected_version: None,
        };
        counter.done(change(Some(Status::Frozen), Some(500)));
        counter.done(hold(30, None));
        counter.group("group", vec![Request::new(counter.deposit(5), counter.teller)]);
        assert_eq!(counter.head().0, 18);
        Bank { counter, url: URL.take() }
    }

    pub fn settings(&self) -> Settings {
        Settings::new(&self.url)
    }

    pub fn verify(&self) -> Report {
        verified(&self.settings())
    }

    /// Alice gets some.
    pub fn pay(&mut self, amount: i64) {
        self.counter.done(self.counter.deposit(amount));
    }

    /// By hand, in the server's own client, past the foreign keys.
    pub fn sql(&self, statements: &str) -> String {
        let name = self.url.rsplit('/').next().expect("a URL");
        // MariaDB lets a session past the CHECKs, MySQL has them taken back from the tables.
        let past = "SET foreign_key_checks=0 /*M!100000 , check_constraint_checks=0 */;";
        MariaDb::shared().client(name, &format!("{past} {statements}"))
    }

    /// Triggers and CHECKs, the first line against such hands.
    pub fn drop_guards(&self) {
        if !self.sql("SELECT VERSION()").contains("MariaDB") {
            let alters = "SELECT CONCAT('ALTER TABLE ',table_name,' ALTER CHECK ',constraint_name,' NOT ENFORCED;') \
                          FROM information_schema.table_constraints \
                          WHERE constraint_schema=DATABASE() AND constraint_type='CHECK'";
            self.sql(&self.sql(alters));
        }
        let names =
            self.sql("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema=DATABASE()");
        let drops: String = names.lines().map(|name| format!("DROP TRIGGER {name};")).collect();
        assert!(!drops.is_empty());
        self.sql(&drops);
    }

    /// Sets a column of a row; answers what sets it back.
    pub fn edit(&self, table: &str, row: &str, column: &str, value: &str) -> String {
        let bytes = self.sql(&format!(
            "SELECT data_type LIKE '%binary' FROM information_schema.columns \
             WHERE table_schema=DATABASE() AND table_name='{table}' AND column_name='{column}'"
        ));
        let quoted = if bytes.trim() == "1" {
            format!("IFNULL(CONCAT('0x',HEX({column})),'NULL')")
        } else {
            format!("QUOTE({column})")
        };
        let before = self.sql(&format!("SELECT {quoted} FROM {table} WHERE {row}"));
        let before = before.trim();
        let changed =
            self.sql(&format!("UPDATE {table} SET {column}={value} WHERE {row}; SELECT ROW_COUNT()"));
        assert_eq!(changed.trim(), "1", "{table}.{column} at {row}");
        // Where the edit changed the key, the row is found by what it was set to.
        let moved = row.split(" AND ").map(|part| match part.split_once('=') {
            Some((name, _)) if name == column => format!("{column}={value}"),
            _ => part.to_owned(),
        });
        let row = moved.collect::<Vec<_>>().join(" AND ");
        format!("UPDATE {table} SET {column}={before} WHERE {row} LIMIT 1")
    }
}

/// A row out of its table.
pub struct Saved(String);

impl Saved {
    pub fn take(bank: &Bank, table: &str, row: &str) -> Saved {
        bank.sql(&format!(
            "CREATE TABLE saved AS SELECT * FROM {table} WHERE {row}; DELETE FROM {table} WHERE {row}"
        ));
        Saved(table.to_owned())
    }

    pub fn put_back(self, bank: &Bank) {
        bank.sql(&format!("INSERT INTO {} SELECT * FROM saved; DROP TABLE saved", self.0));
    }
}

pub fn try_verify(settings: &Settings) -> Result<Report, mysql::OpenError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let nowhere = std::path::Path::new("/nowhere");
    runtime.block_on(verify::verify_database(settings, nowhere, Box::new(|_, _| ())))
}

pub fn verified(settings: &Settings) -> Report {
    try_verify(settings).expect("it can be looked at")
}
