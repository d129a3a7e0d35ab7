//! Books in a database from the shell: users, the schema as a script, what was found, and what is said when something
//! is not as it should be.

mod common;

use std::process::Output;

use common::{Server, bankcore, demo_file, json, refusal, run};
use sim::server::{Database, MariaDb};

fn name(database: &Database) -> &str {
    database.url.rsplit('/').next().expect("a URL names its database")
}

fn db(words: &[&str], env: &[(&str, &str)]) -> Output {
    bankcore().arg("db").args(words).envs(env.iter().copied()).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The first word of a line is the user, the second the password.
fn password<'a>(said: &'a str, user: &str) -> &'a str {
    let line = said.lines().find(|line| line.starts_with(&format!("{user} "))).expect("a line of the user");
    line.split_whitespace().nth(1).expect("a password")
}

#[test]
fn users_are_made_and_a_bank_is_served_as_the_application() {
    let database = MariaDb::shared().empty();
    MariaDb::shared().client("", "SET GLOBAL log_bin_trust_function_creators = 1");
    let words = ["users", "--store", &database.url, "--host", "127.0.0.1"];
    let made = said(&db(&words, &[("BANKCORE_REPORTING_PASSWORD", "chosen by me")]));
    assert!(!made.contains("chosen by me") && !made.contains("bank_reporting  "), "{made}");
    let (owner, application) = (password(&made, "bank_owner"), password(&made, "bank_application"));
    assert!(owner.len() == 32 && application.len() == 32 && owner != application, "{made}");
    let reports = ("bank_reporting", "chosen by me");
    let read = MariaDb::shared().client_of(reports, name(&database), "SELECT COUNT(*) FROM report_accounts");
    assert_eq!(read.as_deref(), Ok("0\n"));

    let again = said(&db(&words, &[]));
    assert!(!again.contains("Passwords"), "nobody is new: {again}");

    let url = |user: &str, password: &str| database.url.replace("//root@", &format!("//{user}:{password}@"));
    let status = said(&db(&["status", "--store", &url("bank_owner", owner)], &[]));
    assert!(status.contains("applied") && !status.contains("pending"), "{status}");

    let folder = tempfile::tempdir().unwrap();
    let store = url("bank_application", application);
    let server = Server::start(folder.path(), &["--demo", "--store", &store]);
    let accounts = json(folder.path(), &["account", "list"]);
    assert!(accounts["items"].as_array().is_some_and(|items| !items.is_empty()), "{accounts}");
    assert!(server.stop());

    MariaDb::shared().client(name(&database), "REVOKE INSERT ON outbox FROM bank_application@'127.0.0.1'");
    let error = refusal(&run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--store", &store]));
    let grant =
        format!("GRANT SELECT, INSERT ON `{}`.`outbox` TO 'bank_application'@'127.0.0.1'", name(&database));
    assert!(error.contains(&grant), "{error}");
}

#[test]
fn users_are_printed_instead_of_made() {
    let database = MariaDb::shared().empty();
    let words = ["users", "--store", &database.url, "--print", "--owner", "somebody", "--host", "10.0.0.%"];
    let printed = said(&db(&words, &[("BANKCORE_OWNER_PASSWORD", "it's mine")]));
    assert!(
        printed.contains("CREATE USER IF NOT EXISTS 'somebody'@'10.0.0.%' IDENTIFIED BY 'it''s mine';"),
        "{printed}"
    );
    assert!(printed.contains("GRANT EXECUTE ON PROCEDURE"), "{printed}");
    let made = MariaDb::shared().client("", "SELECT COUNT(*) FROM mysql.user WHERE User='somebody'");
    assert_eq!(made.trim(), "0");
    let error = refusal(&db(&["users", "--store", &database.url, "--owner", "o'neil"], &[]));
    assert!(error.contains("not a user name (o'neil)"), "{error}");
    let error = refusal(&db(&["users", "--store", &database.url, "--ask"], &[]));
    assert!(error.contains("BANKCORE_OWNER_PASSWORD"), "{error}");
}

#[test]
fn the_schema_is_a_script_that_the_program_knows() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bank.sql");
    let file = file.to_str().expect("UTF-8");
    assert_eq!(said(&db(&["sql", "--output", file], &[])), "");
    let error = refusal(&db(&["sql", "--output", file], &[]));
    assert!(error.contains("name a new file"), "{error}");
    let script = std::fs::read_to_string(file).unwrap();
    assert_eq!(said(&db(&["sql"], &[])), script);
    let database = MariaDb::shared().empty();
    MariaDb::shared().script(("root", ""), name(&database), &script).expect("it runs");
    let status = said(&db(&["status", "--store", &database.url], &[]));
    assert!(status.lines().count() >= 4 && !status.contains("pending"), "{status}");
}

#[test]
fn what_is_wrong_is_one_line_with_a_remedy() {
    let database = MariaDb::shared().migrated();
    MariaDb::shared().client("", "CREATE USER locked@'127.0.0.1' IDENTIFIED BY 'right'");
    let folder = tempfile::tempdir().unwrap();
    let as_user = |user: &str| database.url.replace("//root@", &format!("//{user}@"));
    for (url, remedy) in [
        ("nonsense".to_owned(), "use a URL such as mysql://user:password@localhost:3306/bank"),
        ("mysql://root@127.0.0.1:1/bank".to_owned(), "check the address, and that the server runs"),
        (as_user("locked:wrong"), "check user, password"),
        (as_user("nobody"), "check user, password"),
        (MariaDb::shared().url("no_such_database"), "CREATE DATABASE"),
        (format!("{}?ssl-mode=verify_ca", database.url), "switch TLS on in the server"),
        (format!("{}?socket=/no/such/socket", database.url), "check socket"),
    ] {
        for words in [&["db", "status"][..], &["db", "migrate"], &["db", "users"], &["verify"]] {
            let output = bankcore().args(words).args(["--store", &url]).output().expect("the binary runs");
            let error = refusal(&output);
            assert!(error.contains(remedy), "{words:?} {url}: {error}");
            assert!(!error.contains("wrong"), "no password is shown: {error}");
        }
        let flags = ["serve", "--listen", "127.0.0.1:0", "--store", &url];
        let error = refusal(&run(&folder.path().join("bank"), &flags));
        assert!(error.contains(remedy), "{url}: {error}");
    }
}

/// A row that was edited by hand: found by a procedure, listed, verified, and closed by an operator.
#[test]
fn a_balance_break_is_listed_and_closed() {
    let database = MariaDb::shared().migrated();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let serve = ["--demo", "--store", &database.url];
    assert!(Server::start(dir, &serve).stop());
    let account = |name: &str| demo_file(dir)["accounts"][name].as_str().expect("an account").to_owned();
    let (from, to) = (account("carol_savings"), account("carol_current"));
    let asked = |words: &[&str]| json(dir, &[words, &["--store", &database.url]].concat());
    assert_eq!(asked(&["break", "list"])["items"], serde_json::json!([]));
    by_owner(
        &database,
        &format!("UPDATE account_balances SET credits_posted=credits_posted+1 WHERE account_id={from}"),
    );
    let call = format!("CALL sp_transfer({from}, {to}, 1, NULL, 'carol', 'k', @i, @s, @m); SELECT @m");
    let told = MariaDb::shared().client(name(&database), &call);
    assert!(told.starts_with("balance_differs: "), "{told}");

    let found = &asked(&["break", "list", "--state", "open"])["items"][0];
    assert_eq!(
        (&found["account_id"], &found["state"], &found["id"]),
        (&from.clone().into(), &"open".into(), &"1".into())
    );
    assert_eq!(asked(&["account", "show", &from])["status"], "frozen");
    let report = run(dir, &["verify", "--store", &database.url]);
    let text = String::from_utf8_lossy(&report.stdout).into_owned();
    assert!(!report.status.success() && text.contains("1 open, the first of account"), "{text}");

    by_owner(
        &database,
        &format!("UPDATE account_balances SET credits_posted=credits_posted-1 WHERE account_id={from}"),
    );
    asked(&["account", "unfreeze", &from]);
    let error = refusal(&run(dir, &["break", "close", "7", "--reason", "x", "--store", &database.url]));
    assert!(error.contains("no such balance break"), "{error}");
    let error = refusal(&run(dir, &["break", "close", "1", "--reason", " ", "--store", &database.url]));
    assert!(error.contains("reason"), "{error}");
    let closed = asked(&["break", "close", "1", "--reason", "Put right; case 17"]);
    assert_eq!((&closed["state"], &closed["reason"]), (&"closed".into(), &"Put right; case 17".into()));
    let again = asked(&["break", "close", "1", "--reason", "another"]);
    assert_eq!(again["reason"], "Put right; case 17", "the first word stands");
    assert_eq!(asked(&["break", "list", "--state", "open"])["items"], serde_json::json!([]));
    let report = run(dir, &["verify", "--store", &database.url]);
    assert!(report.status.success(), "{}", String::from_utf8_lossy(&report.stdout));
    let audited = MariaDb::shared()
        .client(name(&database), "SELECT new_values FROM audit_log WHERE table_name='balance_breaks'");
    assert_eq!(audited, "closed by=local reason=Put right; case 17\n");
    let again = MariaDb::shared().client(name(&database), &call);
    assert!(again.starts_with("Transaction "), "{again}");
}

/// With the guard of balances out of the way.
fn by_owner(database: &Database, statement: &str) {
    let client = |text: &str| MariaDb::shared().client(name(database), text);
    let guard = client("SHOW CREATE TRIGGER account_balances_follow");
    let guard = guard.split('\t').nth(2).expect("its text").replace("\\n", "\n");
    client("DROP TRIGGER account_balances_follow");
    client(statement);
    client(&format!("DELIMITER //\n{guard}//"));
}

/// Other people's processes see no password: it is in no argument.
#[test]
fn there_is_no_flag_for_a_password() {
    let output = bankcore().args(["db", "users", "--help"]).output().expect("the binary runs");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(help.contains("BANKCORE_OWNER_PASSWORD") && !help.contains("--password"), "{help}");
}
