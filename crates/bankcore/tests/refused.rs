//! What is not done, and how it is said: one line, with a remedy, exit code 1; 2 for what is no command.

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;

use common::{Server, bankcore, demo_file, json, refusal, run};

#[test]
fn a_folder_that_is_not_for_this_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    fs::write(dir.join("holiday.jpg"), "").unwrap();
    for flags in [&["serve", "--listen", "127.0.0.1:0"][..], &["serve", "--demo", "--listen", "127.0.0.1:0"]]
    {
        let error = refusal(&run(dir, flags));
        assert!(error.contains("holiday.jpg"), "{error}");
    }
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
    for words in [&["key", "list"][..], &["verify"], &["inspect", "head"], &["account", "show", "1"]] {
        let error = refusal(&run(dir, words));
        assert!(error.contains("holds no bank"), "{error}");
    }
}

#[test]
fn a_bank_is_not_a_demonstration_and_is_opened_once() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::start(dir, &[]);
    let error = refusal(&run(dir, &["serve", "--listen", "127.0.0.1:0"]));
    assert!(error.contains("in use"), "{error}");
    let error = refusal(&run(dir, &["serve", "--demo", "--listen", "127.0.0.1:0"]));
    assert!(error.contains("not a demonstration"), "{error}");
    // Locked, and nobody behind the socket: a process that cannot be asked.
    fs::remove_file(dir.join("bankcore.sock")).unwrap();
    let error = refusal(&run(dir, &["account", "list"]));
    assert!(error.contains("in use") && error.contains("bankcore.sock"), "{error}");
    drop(server);
}

#[test]
fn an_address_that_cannot_be_had_touches_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bank");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = refusal(&run(&dir, &["serve", "--listen", &address]));
    assert!(error.contains("another port"), "{error}");
    let error = refusal(&run(&dir, &["serve", "--listen", "0.0.0.0:0"]));
    assert!(error.contains("--tls-cert"), "{error}");
    assert!(!dir.exists());
}

#[test]
fn what_the_bank_refuses_is_told_in_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::start(dir, &["--demo"]);
    let demo = demo_file(dir);
    let account = |name: &str| demo["accounts"][name].as_str().unwrap().to_owned();
    let (alice, bob) = (account("alice_savings"), account("bob_savings"));
    let error = refusal(&run(dir, &["transfer", &alice, &bob, "5000.00", "BDT"]));
    assert!(error.contains("insufficient_funds") && error.contains("0.00 BDT available"), "{error}");
    let error = refusal(&run(dir, &["transfer", &alice, &bob, "1.001", "BDT"]));
    assert!(error.contains("decimals"), "{error}");
    let error = refusal(&run(dir, &["account", "show", "999"]));
    assert!(error.contains("not_found"), "{error}");
    let error = refusal(&run(dir, &["account", "show", "../keys"]));
    assert!(!error.contains("bck_"), "{error}");
    let error = refusal(&run(dir, &["key", "revoke", "nosuchke"]));
    assert!(error.contains("no such API key"), "{error}");
    let error = refusal(&run(dir, &["key", "create", "--role", "customer", "--principal", "alice"]));
    assert!(error.contains("accounts"), "{error}");
    assert!(server.stop());
}

#[test]
fn damage_has_a_place_and_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    assert!(Server::start(dir, &["--demo"]).stop());
    let report = json(dir, &["verify"]);
    assert_eq!(report["ok"], true);
    let segment = dir.join("journal/000000000001.seg");
    let file = fs::File::options().read(true).write(true).open(segment).unwrap();
    let mut byte = [0];
    // Within the records of the third frame or so: each has a block of its own.
    file.read_exact_at(&mut byte, 3 * 4096 + 150).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 3 * 4096 + 150).unwrap();
    let output = run(dir, &["verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["ok"], &report["damage"]["segment"]), (&false.into(), &1.into()), "{report}");
    assert_eq!(report["damage"]["offset"], 3 * 4096, "{report}");
    let said = String::from_utf8(run(dir, &["verify"]).stdout).unwrap();
    assert!(said.contains("DAMAGE: segment 1, offset 12288, sequence "), "{said}");
    let error = refusal(&run(dir, &["serve", "--listen", "127.0.0.1:0"]));
    assert!(error.contains("segment 1, offset 12288"), "{error}");
}

#[test]
fn what_is_no_command_is_a_usage_error() {
    for words in [&["sevre"][..], &["serve", "--lisen", "x"], &["transfer", "1"], &["key"], &[]] {
        let output = bankcore().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}");
    }
    for words in [&["--help"][..], &["--version"], &["key", "create", "--help"], &["completions", "bash"]] {
        let output = bankcore().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert!(!output.stdout.is_empty());
    }
}
