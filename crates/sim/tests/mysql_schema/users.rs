//! Least privilege: each user can do what it must, and nothing else.

use bank::store::mysql::users::{self, User, Users, UsersError};
use bank::store::mysql::{self, OpenError, Settings};
use sim::conformance::{Counter, Home};
use sim::desk::{self, Desk};
use sim::server::{Database, MariaDb};
use sim::time::SimClock;

use super::{fresh, name, wait};

const OWNER: (&str, &str) = ("the_owner", "owner's \\ secret");
const APPLICATION: (&str, &str) = ("the_application", "öffne dich");
const REPORTING: (&str, &str) = ("the_reports", "'; DROP TABLE events; --");

/// The three, on every database of this server.
fn three() -> Users {
    called([OWNER, APPLICATION, REPORTING])
}

fn called(users: [(&str, &str); 3]) -> Users {
    let [owner, application, reporting] =
        users.map(|(name, password)| User { name: name.into(), password: Some(password.into()) });
    Users { owner, application, reporting, host: "127.0.0.1".into() }
}

/// A database with its users, the tables made by the owner.
fn database() -> Database {
    let database = MariaDb::shared().empty();
    // MySQL keeps a binary log, where only an administrator may allow triggers.
    MariaDb::shared().client("", "SET GLOBAL log_bin_trust_function_creators = 1");
    wait(users::create(&database.settings(), &three())).expect("an administrator may");
    database
}

/// How the application opens the books. What is no letter is written as in any URL.
fn as_application(database: &Database) -> Settings {
    Settings::new(&database.url.replace("//root@", "//the_application:%C3%B6ffne%20dich@"))
}

/// Books that are opened as the application.
struct Modest(Database);

impl Home for Modest {
    const SURVIVES: bool = true;

    fn fresh() -> Modest {
        Modest(database())
    }

    fn open(&mut self, clock: SimClock, settings: &desk::Settings) -> Desk {
        let opened = mysql::open(&as_application(&self.0), &fresh()).expect("the application may");
        Desk::new(opened.writing, opened.reading, clock, settings, |_| ())
    }
}

fn does(user: (&str, &str), database: &Database, statement: &str) -> String {
    MariaDb::shared()
        .client_of(user, name(database), statement)
        .unwrap_or_else(|why| panic!("{statement}: {why}"))
}

fn is_denied(user: (&str, &str), database: &Database, statement: &str) {
    match MariaDb::shared().client_of(user, name(database), statement) {
        Ok(said) => panic!("{} did it: {statement}: {said}", user.0),
        Err(why) => assert!(why.contains("denied"), "{statement}: {why}"),
    }
}

#[test]
fn service_and_procedures_work_as_the_application() {
    let mut counter = Counter::<Modest>::open();
    counter.done(counter.deposit(1_000));
    let hold = ledger::Command::Hold {
        account: counter.alice,
        to: None,
        amount: 10,
        currency: sim::conformance::bdt(),
        expires_at: None,
    };
    let held = counter.done(hold);
    counter.done(ledger::Command::Void { hold: held.sequence });
    let call = format!(
        "CALL sp_transfer({}, {}, 2.50, NULL, 'teller', 'key', @i, @s, @m); SELECT @s, @m; \
         CALL sp_rebuild_balance({}, @old, @new, @s, @m); SELECT @old, @new, @s",
        counter.alice, counter.bob, counter.bob
    );
    let said = does(APPLICATION, &counter.home.0, &call);
    assert!(said.starts_with("COMPLETED\t") && said.ends_with("2.5000\t2.5000\tCOMPLETED\n"), "{said}");
    assert_eq!((counter.balance(counter.alice), counter.balance(counter.bob)), (750, 250));
    assert!(counter.reopen());
    assert_eq!(counter.balance(counter.bob), 250);
}

#[test]
fn the_application_changes_nothing_that_is_written_and_no_rule() {
    let mut counter = Counter::<Modest>::open();
    counter.done(counter.deposit(1_000));
    let database = &counter.home.0;
    for statement in [
        "UPDATE events SET kind=1",
        "DELETE FROM events",
        "UPDATE ledger_entries SET amount=1",
        "DELETE FROM ledger_entries",
        "DELETE FROM idempotency_keys",
        "UPDATE idempotency_keys SET sequence=1",
        "UPDATE transactions SET description='x'",
        "DELETE FROM transactions",
        "UPDATE accounts SET name='x'",
        "DELETE FROM account_balances",
        "UPDATE ledger_head SET bank_id=''",
        "DELETE FROM ledger_head",
        "DELETE FROM balance_breaks",
        "UPDATE balance_breaks SET cached_balance=0",
        "INSERT INTO tellers (banker, drawer_account_id) VALUES ('me', 1)",
        "INSERT INTO audit_log (action) VALUES ('INSERT')",
        "DELETE FROM audit_log",
        "TRUNCATE TABLE outbox",
        "DROP TABLE outbox",
        "DROP TRIGGER events_stay",
        "ALTER TABLE events DROP COLUMN variant",
        "CREATE TABLE mine (a INT)",
        "DROP PROCEDURE sp_transfer",
        "CALL bankcore_name('a', 'b', @a, @b)",
        "CREATE USER friend",
        "GRANT SELECT ON events TO the_reports@'127.0.0.1'",
        "SET GLOBAL innodb_flush_log_at_trx_commit=0",
        "SET GLOBAL sync_binlog=0",
        "SET SESSION sql_log_bin=0",
    ] {
        is_denied(APPLICATION, database, statement);
    }
    // What it may touch for other reasons, the triggers refuse.
    for statement in [
        "UPDATE account_balances SET normal_side='DEBIT' WHERE account_id=2",
        "UPDATE account_balances SET credits_posted=credits_posted+1, version=version+1",
        "UPDATE transactions SET status='OPEN'",
        "UPDATE ledger_head SET sequence=sequence+1",
    ] {
        let said = MariaDb::shared().client_of(APPLICATION, name(database), statement);
        assert!(said.as_ref().is_err_and(|why| why.contains("bankcore: ")), "{statement}: {said:?}");
    }
    let wrong = does(APPLICATION, database, "SELECT COUNT(*) FROM events WHERE sequence > 0");
    assert_ne!(wrong.trim(), "0", "it reads");
}

#[test]
fn reports_are_read_and_nothing_else() {
    let mut counter = Counter::<Modest>::open();
    counter.done(counter.deposit(1_000));
    let database = &counter.home.0;
    let views = MariaDb::shared().client(
        name(database),
        "SELECT table_name FROM information_schema.views WHERE table_schema=DATABASE() ORDER BY 1",
    );
    for view in views.lines().filter(|view| view.starts_with("report_")) {
        does(REPORTING, database, &format!("SELECT * FROM {view} LIMIT 1"));
        is_denied(REPORTING, database, &format!("INSERT INTO {view} SELECT * FROM {view}"));
    }
    let trial = does(REPORTING, database, "SELECT difference FROM report_trial_balance");
    assert_eq!(trial.trim(), "0.0000");
    for statement in [
        "SELECT * FROM events",
        "SELECT * FROM accounts",
        "SELECT * FROM audit_log",
        "UPDATE accounts SET status='ACTIVE'",
        "CALL sp_transfer(1, 2, 1, NULL, 'me', 'k', @i, @s, @m)",
        "CREATE TABLE mine (a INT)",
    ] {
        is_denied(REPORTING, database, statement);
    }
}

#[test]
fn the_owner_owns_this_database_and_no_server() {
    let (database, other) = (database(), MariaDb::shared().migrated());
    does(OWNER, &database, "ALTER TABLE outbox COMMENT = 'mine'");
    // What no table and no user has anything to do with.
    for statement in [
        format!("SELECT * FROM {}.events", name(&other)),
        "SELECT * FROM mysql.user".into(),
        "CREATE USER friend".into(),
        "SET GLOBAL innodb_flush_log_at_trx_commit=0".into(),
        "CREATE DATABASE another".into(),
    ] {
        is_denied(OWNER, &database, &statement);
    }
    let definers = MariaDb::shared().client(
        name(&database),
        "SELECT DISTINCT definer FROM information_schema.triggers WHERE trigger_schema=DATABASE() UNION \
         SELECT DISTINCT definer FROM information_schema.routines WHERE routine_schema=DATABASE() UNION \
         SELECT DISTINCT definer FROM information_schema.views WHERE table_schema=DATABASE()",
    );
    assert_eq!(definers, "the_owner@127.0.0.1\n", "nothing acts with an administrator's rights");
}

/// A table that a newer migration makes must be in the list of rights, or nobody but the owner reads it.
#[test]
fn every_table_is_for_the_application_but_the_audit_log() {
    let database = database();
    let tables = MariaDb::shared().client(
        name(&database),
        "SELECT table_name FROM information_schema.tables WHERE table_schema=DATABASE() AND table_type='BASE TABLE'",
    );
    assert!(tables.lines().count() > 15, "{tables}");
    for table in tables.lines().filter(|table| *table != "audit_log") {
        does(APPLICATION, &database, &format!("SELECT * FROM {table} LIMIT 1"));
    }
    is_denied(APPLICATION, &database, "SELECT * FROM audit_log");
}

#[test]
fn users_are_made_again_without_harm_and_keep_their_passwords() {
    let database = database();
    // Others of this server work as the usual ones.
    let mut users = called([("owner2", "one"), ("application2", "two"), ("reports2", "three")]);
    wait(users::create(&database.settings(), &users)).expect("others beside them");
    users.all_mut().into_iter().for_each(|user| user.password = None);
    assert_eq!(
        wait(users::known(&database.settings(), &users)).expect("an administrator may ask"),
        [true; 3]
    );
    wait(users::create(&database.settings(), &users)).expect("nothing to be made");
    does(("reports2", "three"), &database, "SELECT * FROM report_accounts");
    users.reporting.password = Some("another".into());
    wait(users::create(&database.settings(), &users)).expect("a new password");
    let old = MariaDb::shared().client_of(("reports2", "three"), name(&database), "SELECT 1");
    assert!(old.is_err_and(|why| why.contains("denied")));
    does(("reports2", "another"), &database, "SELECT * FROM report_accounts");
}

#[test]
fn what_is_missing_is_named() {
    let database = MariaDb::shared().empty();
    let mut users = three();
    users.owner.name = "somebody_new".into();
    users.owner.password = None;
    let error = wait(users::create(&database.settings(), &users)).expect_err("no password");
    assert!(matches!(&error, UsersError::NoPassword(who) if who == "somebody_new"), "{error}");
    let users = three();
    wait(users::create(&database.settings(), &users)).expect("an administrator may");
    let error = wait(users::create(&as_application(&database), &users)).expect_err("no administrator");
    assert!(error.to_string().contains("sign in as a user who may create users"), "{error}");
    assert!(!error.to_string().contains('\n'));
}

/// MySQL keeps a binary log unless it is told otherwise, and then lets only an administrator make triggers.
#[test]
fn a_server_with_a_binary_log_must_trust_the_owner() {
    let server = MariaDb::start_with(&["--log-bin=log", "--sync-binlog=1"]);
    let database = server.empty();
    let create = || wait(users::create(&database.settings(), &three()));
    let untrusted = create().expect_err("triggers of an owner").to_string();
    let found = server.client("", "SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'the%'");
    assert_eq!(found, "0\n", "no user of whom nobody knows the password");

    let (somebody, rights) = ("somebody@'127.0.0.1'", format!("ALL ON {}.*", name(&database)));
    server.client("", &format!("CREATE USER {somebody}; GRANT {rights} TO {somebody}"));
    let as_somebody = Settings::new(&database.url.replace("//root@", "//somebody@"));
    let error = wait(mysql::migrate(&as_somebody)).expect_err("triggers of an owner").to_string();
    for text in [untrusted, error] {
        assert!(
            text.contains("as an administrator: SET GLOBAL log_bin_trust_function_creators = 1"),
            "{text}"
        );
    }
    server.client("", "SET GLOBAL log_bin_trust_function_creators = 1");
    create().expect("also over what somebody has left half made");
    drop(mysql::open(&as_application(&database), &fresh()).expect("the application may"));
}

/// The GRANT in the error is the one that is needed.
#[test]
fn a_missing_right_is_told_with_its_remedy() {
    let database = database();
    for table in ["outbox", "transactions", "account_balances", "currencies"] {
        let revoke = format!("REVOKE ALL PRIVILEGES ON {table} FROM the_application@'127.0.0.1'");
        MariaDb::shared().client(name(&database), &revoke);
        let opened = mysql::open(&as_application(&database), &fresh()).map(drop);
        let Err(OpenError::Privilege { why, remedy }) = opened else { panic!("{table}: {opened:?}") };
        assert!(why.contains("denied"), "{why}");
        let grant = remedy.strip_prefix("as an administrator: ").expect("a statement");
        MariaDb::shared().client(name(&database), grant);
        mysql::open(&as_application(&database), &fresh()).expect("the remedy helps");
    }
}
