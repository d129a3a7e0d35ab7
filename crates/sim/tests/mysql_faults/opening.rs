//! What is wrong before the first request: each cause has a name of its own and a remedy.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bank::store::mysql::{self, OpenError, Settings};
use sim::server::{Database, MariaDb};

use super::bank::{Running, by_hand, fresh, furnish, name};

pub fn refused(settings: &Settings) -> OpenError {
    match mysql::open(settings, &fresh()) {
        Err(error) => {
            let text = error.to_string();
            assert!(!text.contains('\n'), "one line: {text}");
            error
        }
        Ok(_) => panic!("{settings:?} opened"),
    }
}

/// As somebody else.
pub fn as_user(database: &Database, user: &str) -> Settings {
    Settings::new(&database.url.replace("//root@", &format!("//{user}@")))
}

#[test]
fn an_address_that_is_none_or_leads_nowhere() {
    for url in ["nonsense", "mysql://root@127.0.0.1:1", "postgres://root@127.0.0.1/bank"] {
        assert!(matches!(refused(&Settings::new(url)), OpenError::Url(_)), "{url}");
    }
    let closed =
        TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address").port();
    let error = refused(&Settings::new(&format!("mysql://root@127.0.0.1:{closed}/bank")));
    assert!(matches!(error, OpenError::Unreachable(_)), "{error}");
    let error = refused(&Settings::new("mysql://root@localhost/bank?socket=/no/such/socket"));
    assert!(matches!(error, OpenError::File(_)), "{error}");
}

#[test]
fn a_server_that_takes_the_connection_and_says_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let url = format!("mysql://root@127.0.0.1:{port}/bank");
    let began = Instant::now();
    let patience = Duration::from_millis(300);
    let error = refused(&Settings { patience, ..Settings::new(&url) });
    assert!(matches!(error, OpenError::Unreachable(_)), "{error}");
    assert!(began.elapsed() < patience * Settings::ANSWERED_WITHIN);
}

#[test]
fn a_user_a_password_and_a_database_that_are_not_right() {
    let database = MariaDb::shared().migrated();
    by_hand(&database, "CREATE USER anna@'127.0.0.1' IDENTIFIED BY 'right'");
    by_hand(&database, &format!("GRANT ALL ON {}.* TO anna@'127.0.0.1'", name(&database)));
    for user in ["nobody", "anna", "anna:wrong"] {
        let error = refused(&as_user(&database, user));
        assert!(matches!(error, OpenError::Denied(_)), "{user}: {error}");
    }
    mysql::open(&as_user(&database, "anna:right"), &fresh()).expect("the right one");
    let elsewhere = Settings::new(&MariaDb::shared().url("no_such_database"));
    assert!(matches!(refused(&elsewhere), OpenError::NoDatabase(_)));
}

/// It says so when it opens, not when the first customer comes.
#[test]
fn a_user_that_may_only_look() {
    let database = MariaDb::shared().migrated();
    drop(mysql::open(&database.settings(), &fresh()).expect("a healthy server"));
    by_hand(&database, "CREATE USER looker@'127.0.0.1'");
    by_hand(&database, &format!("GRANT SELECT ON {}.* TO looker@'127.0.0.1'", name(&database)));
    let error = refused(&as_user(&database, "looker"));
    assert!(matches!(error, OpenError::Privilege { .. }), "{error}");
    by_hand(
        &database,
        &format!("GRANT INSERT, UPDATE, DELETE ON {}.* TO looker@'127.0.0.1'", name(&database)),
    );
    let bank = Running::open(&as_user(&database, "looker"));
    furnish(&bank.books, 1);
    bank.stop();
}

#[test]
fn tables_of_another_program() {
    let none = MariaDb::shared().empty();
    assert!(matches!(refused(&none.settings()), OpenError::Older { found: 0, .. }));
    let database = MariaDb::shared().migrated();
    by_hand(&database, "UPDATE _sqlx_migrations SET version=version+1000 ORDER BY version DESC LIMIT 1");
    assert!(matches!(refused(&database.settings()), OpenError::Newer { .. }));
    by_hand(&database, "DELETE FROM _sqlx_migrations ORDER BY version DESC LIMIT 1");
    assert!(matches!(refused(&database.settings()), OpenError::Older { found: 1.., .. }));
    by_hand(&database, "UPDATE _sqlx_migrations SET success=0 ORDER BY version DESC LIMIT 1");
    assert!(matches!(refused(&database.settings()), OpenError::Migration(_)));
}

/// Whoever makes the tables may be killed at any statement. Without a bank in them they are made anew; with one they
/// are left to people.
#[test]
fn tables_that_were_half_made() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let prepare = |database: &Database| runtime.block_on(mysql::prepare(&database.settings()));
    let newest = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    let database = MariaDb::shared().migrated();
    by_hand(&database, "CREATE TABLE of_somebody_else (a INT)");
    let whole = by_hand(&database, newest);
    for spoil in [
        "DELETE FROM _sqlx_migrations WHERE version > 2; DROP PROCEDURE bankcore_move; DROP TABLE copied_from; \
         UPDATE _sqlx_migrations SET success = 0 WHERE version = 2",
        "UPDATE _sqlx_migrations SET success = 0 WHERE version = 1; DROP TABLE audit_log",
        "DROP VIEW bank_identity; DROP TABLE ledger_head; \
         UPDATE _sqlx_migrations SET success = 0 ORDER BY version DESC LIMIT 1",
    ] {
        by_hand(&database, spoil);
        prepare(&database).unwrap_or_else(|error| panic!("{spoil}: {error}"));
        assert_eq!(by_hand(&database, newest), whole, "{spoil}");
    }
    by_hand(&database, "SELECT * FROM of_somebody_else");
    drop(mysql::open(&database.settings(), &fresh()).expect("a bank"));
    by_hand(&database, "UPDATE _sqlx_migrations SET success = 0 ORDER BY version DESC LIMIT 1");
    assert!(matches!(prepare(&database), Err(OpenError::Migration(_))));
    assert!(matches!(refused(&database.settings()), OpenError::Migration(_)));
}

/// Killed between two migrations: what was made is sound, and the rest is made.
#[test]
fn tables_of_which_some_are_still_to_be_made() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = MariaDb::shared().migrated();
    let newest = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    let whole = by_hand(&database, newest);
    by_hand(
        &database,
        "DROP TABLE snapshots, snapshot_parts; DELETE FROM _sqlx_migrations WHERE description = 'snapshots'",
    );
    runtime.block_on(mysql::prepare(&database.settings())).expect("the rest");
    assert_eq!(by_hand(&database, newest), whole);
}

#[test]
fn a_server_that_may_lose_what_it_acknowledged_is_taken_only_knowingly() {
    let server = MariaDb::start();
    let database = server.migrated();
    server.client("", "SET GLOBAL innodb_flush_log_at_trx_commit=2");
    let settings = database.settings();
    let OpenError::Weak { setting, value } = refused(&settings) else { panic!("another error") };
    assert_eq!((setting, &*value), ("innodb_flush_log_at_trx_commit", "2"));
    mysql::open(&Settings { accept_weak_durability: true, ..settings.clone() }, &fresh()).expect("knowingly");
    server.client("", "SET GLOBAL innodb_flush_log_at_trx_commit=1");
    mysql::open(&settings, &fresh()).expect("a durable server");
}
