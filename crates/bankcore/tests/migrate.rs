//! `bankcore migrate`, the real binary: killed again and again, it ends with the same bank.

mod common;

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use common::{Server, bankcore, demo_file, get, json, refusal, run};
use serde_json::Value;
use sim::server::MariaDb;

fn migrate(from: &str, to: &str) -> Output {
    bankcore().args(["migrate", "--json", "--from", from, "--to", to]).output().expect("the binary runs")
}

fn proof(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// A demonstration bank that was served and stopped.
fn demo(dir: &Path, flags: &[&str]) -> String {
    let server = Server::start(dir, &[&["--demo"], flags].concat());
    assert!(server.stop());
    let file = demo_file(dir);
    file["keys"]["admin"].as_str().or(file["keys"]["auditor"].as_str()).expect("a key").to_owned()
}

#[test]
fn killed_at_any_moment_it_goes_on_and_ends_with_the_same_bank() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    std::fs::create_dir(&from).unwrap();
    demo(&from, &[]);
    let to = MariaDb::shared().empty();
    let source = from.to_str().unwrap();
    for millis in [5, 20, 60, 120, 250, 500] {
        let mut child = bankcore()
            .args(["migrate", "--from", source, "--to", &to.url])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(millis));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
    }
    let output = migrate(source, &to.url);
    // A try that was slow to be killed may have finished.
    if !output.status.success() {
        assert!(refusal(&output).contains("it holds a bank"), "{}", refusal(&output));
    }
    let there = json(&from, &["verify"]);
    let verified =
        bankcore().args(["verify", "--json", "--store", &to.url, "--data"]).arg(dir.path()).output();
    let here: Value = serde_json::from_slice(&verified.unwrap().stdout).unwrap();
    assert_eq!((&here["ok"], &there["ok"]), (&true.into(), &true.into()), "{here}");
    assert_eq!((&here["head"], &here["bank"]), (&there["head"], &there["bank"]));
}

#[test]
fn a_bank_moves_into_a_database_and_back_with_its_keys() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for name in ["first", "beside"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    let key = demo(&path("first"), &[]);
    let there = MariaDb::shared().empty();
    let out = proof(&migrate(path("first").to_str().unwrap(), &there.url));
    assert_eq!(out["ok"], true);
    assert!(!out["to"].as_str().unwrap().contains("root"), "no user and no password in what is printed");

    let server = Server::start(&path("beside"), &["--store", &there.url]);
    let accounts = get(&server.address, "/api/v1/accounts", &key);
    assert_eq!(accounts.status, 200, "{accounts:?}");
    assert!(server.stop());
    assert!(!path("beside").join("bank.db").exists());

    let back = proof(&migrate(&there.url, path("last").to_str().unwrap()));
    assert_eq!(back["ok"], true);
    let server = Server::start(&path("last"), &[]);
    assert_eq!(get(&server.address, "/api/v1/accounts", &key).body, accounts.body);
    assert!(server.stop());
}

/// Keys of a bank in a database are everybody's: what one service revokes is dead in the other within two seconds.
#[test]
fn services_on_one_database_share_keys() {
    let dir = tempfile::tempdir().unwrap();
    let database = MariaDb::shared().empty();
    let path = |name: &str| dir.path().join(name);
    for name in ["one", "other"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    let one = Server::start(&path("one"), &["--demo", "--store", &database.url]);
    let other = Server::start(&path("other"), &["--store", &database.url]);
    let key = |words: &[&str]| {
        let words = [&["key"], words, &["--store", &database.url]].concat();
        json(&path("one"), &words)
    };
    let made = key(&["create", "--role", "auditor", "--principal", "audit"]);
    let secret = made["key"].as_str().unwrap().to_owned();
    let status = |server: &Server| get(&server.address, "/api/v1/accounts", &secret).status;
    assert_eq!(status(&one), 200);
    let becomes = |wanted: u16| {
        let began = std::time::Instant::now();
        while status(&other) != wanted {
            assert!(began.elapsed() < Duration::from_secs(30), "never {wanted}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    becomes(200);
    key(&["revoke", made["prefix"].as_str().unwrap()]);
    assert_eq!(status(&one), 401, "dead before the command returned");
    becomes(401);
    assert!(one.stop() && other.stop());
}

#[test]
fn what_cannot_be_moved_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = dir.path().join("nothing");
    let error = refusal(&migrate(nothing.to_str().unwrap(), dir.path().join("to").to_str().unwrap()));
    assert!(error.contains("nothing"), "{error}");
    std::fs::write(dir.path().join("unfinished-copy"), "").unwrap();
    let error = refusal(&run(dir.path(), &["serve", "--listen", "127.0.0.1:0"]));
    assert!(error.contains("unfinished copy") && error.contains("bankcore migrate"), "{error}");
}
