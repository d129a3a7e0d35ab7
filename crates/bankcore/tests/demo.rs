//! The demonstration from an empty folder to a killed server and back, as a reader of the README does it.

mod common;

use std::os::unix::fs::PermissionsExt as _;

use common::{Server, curl, demo_file, get, json, run};
use serde_json::Value;

/// The lines of the printed `curl`.
fn printed_curl(server: &Server) -> String {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let line = server.line();
        if line.starts_with("curl ") || !lines.is_empty() {
            let more = line.ends_with('\\');
            lines.push(line.trim_end_matches('\\').to_owned());
            if !more {
                return lines.concat();
            }
        }
    }
}

fn balances(dir: &std::path::Path) -> Vec<(String, String)> {
    let accounts = json(dir, &["account", "list"]);
    let text = |item: &Value, field: &str| item[field].as_str().expect(field).to_owned();
    let items = accounts["items"].as_array().expect("items");
    items.iter().map(|item| (text(item, "id"), text(item, "ledger_balance"))).collect()
}

#[test]
fn from_nothing_to_the_first_transfer_and_through_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bank");
    let server = Server::start(&dir, &["--demo"]);
    assert!(server.said[0].starts_with("made a new bank"), "{:?}", server.said);
    let demo = demo_file(&dir);
    let mode = std::fs::metadata(dir.join("demo.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(demo["url"], format!("http://{}", server.address));
    assert_eq!(demo["socket"], dir.join("bankcore.sock").to_str().unwrap());

    // Carol pays her own account, as api.md tells it.
    let command = printed_curl(&server);
    let first = curl(&command);
    assert_eq!((first.status, first.replayed), (201, false), "{first:?}");
    assert_eq!(first.body["entries"][0]["balance_after"], "3000.00");
    assert_eq!(first.body["entries"][1]["balance_after"], "2500.00");
    let again = curl(&command);
    assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));

    keys_die_when_they_are_revoked(&dir, &server);
    every_demo_key_works(&demo, &server);

    let (bob, alice) = (
        demo["accounts"]["bob_savings"].as_str().unwrap(),
        demo["accounts"]["alice_current"].as_str().unwrap(),
    );
    let transfer = ["transfer", bob, alice, "12.50", "BDT", "--idempotency-key", "cli-1"];
    let through_socket = json(&dir, &transfer);
    let before = balances(&dir);
    assert!(json(&dir, &["verify"])["ok"].as_bool().unwrap(), "a folder in use verifies");

    server.kill();
    let server = Server::start(&dir, &["--demo"]);
    assert!(server.said[0].starts_with("opened Demo Bank"), "{:?}", server.said);
    assert_eq!(balances(&dir), before);
    let renewed = demo_file(&dir);
    assert_eq!((&renewed["keys"], &renewed["accounts"]), (&demo["keys"], &demo["accounts"]));
    assert_eq!(renewed["url"], format!("http://{}", server.address));
    let replay = curl(&printed_curl(&server));
    assert_eq!((replay.status, replay.replayed, replay.body), (201, true, first.body));
    assert!(server.stop(), "it ends well when it is asked to");

    // No server now: the command opens the bank itself.
    assert_eq!(json(&dir, &transfer), through_socket, "the same key moves it once");
    assert_eq!(balances(&dir), before);
    let report = json(&dir, &["verify"]);
    assert_eq!((report["ok"].as_bool(), report["damage"].is_null()), (Some(true), true), "{report}");
    assert_eq!(report["accounts"], 13);
    let head = json(&dir, &["inspect", "head"]);
    assert_eq!((&head["sequence"], &head["hash"]), (&report["head"]["sequence"], &report["head"]["hash"]));
}

fn keys_die_when_they_are_revoked(dir: &std::path::Path, server: &Server) {
    let made = json(dir, &["key", "create", "--role", "auditor", "--principal", "visitor"]);
    let (key, prefix) = (made["key"].as_str().unwrap(), made["prefix"].as_str().unwrap());
    assert_eq!(get(&server.address, "/api/v1/accounts", key).status, 200);
    assert!(run(dir, &["key", "revoke", prefix]).status.success());
    assert_eq!(get(&server.address, "/api/v1/accounts", key).status, 401);
    let keys = json(dir, &["key", "list"]);
    let listed = keys["items"].as_array().unwrap().iter().find(|item| item["prefix"] == prefix).unwrap();
    assert_eq!(listed["status"], "revoked");
}

fn every_demo_key_works(demo: &Value, server: &Server) {
    let keys = demo["keys"].as_object().unwrap();
    assert_eq!(keys.len(), 8);
    for (name, key) in keys {
        let answer = get(&server.address, "/api/v1/accounts", key.as_str().unwrap());
        let seen = answer.body["items"].as_array().map(Vec::len);
        let own = matches!(name.as_str(), "alice" | "bob" | "carol");
        assert_eq!((answer.status, seen), (200, Some(if own { 2 } else { 13 })), "{name}");
    }
}

/// Every bank was called "bank". It keeps the name with which its books were opened, whatever is said later.
#[test]
fn a_bank_is_called_as_its_first_start_says() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("bank");
    let long = "n".repeat(129);
    let error = common::refusal(&run(&dir, &["serve", "--listen", "127.0.0.1:0", "--name", &long]));
    assert!(error.contains("use one line of at most 128 bytes"), "{error}");
    assert!(!dir.exists());
    let server = Server::start(&dir, &["--name", "First Bank"]);
    assert_eq!(server.said[0], "made a new bank: First Bank");
    assert!(server.stop());
    let server = Server::start(&dir, &["--name", "Other Bank"]);
    assert!(server.said[0].starts_with("opened First Bank: "), "{:?}", server.said);
    assert_eq!(json(&dir, &["inspect", "head"])["name"], "First Bank");
    assert!(server.stop());
}

/// A bank of one's own: no keys at first, the first one made through the socket.
#[test]
fn a_new_bank_says_how_to_make_its_first_key() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::start(dir, &[]);
    let mut said = String::new();
    while !said.contains("bankcore key create") {
        said.push_str(&server.line());
    }
    assert!(said.contains("no API key yet"), "{said}");
    let made = json(dir, &["key", "create", "--role", "admin", "--principal", "admin"]);
    let opened = json(dir, &["account", "open", "Vault", "--type", "asset", "--currency", "BDT"]);
    let path = format!("/api/v1/accounts/{}", opened["id"].as_str().unwrap());
    assert_eq!(get(&server.address, &path, made["key"].as_str().unwrap()).body["name"], "Vault");
    let id = opened["id"].as_str().unwrap();
    assert_eq!(json(dir, &["account", "freeze", id, "--reason", "test"])["status"], "frozen");
    assert_eq!(json(dir, &["account", "unfreeze", id])["status"], "active");
    assert_eq!(json(dir, &["account", "close", id])["status"], "closed");
    let day = json(dir, &["day", "show"]);
    assert_eq!(json(dir, &["day", "close"])["open"], Value::Null);
    assert_eq!(json(dir, &["day", "show"])["newest"], day["newest"]);
    assert!(run(dir, &["clock", "confirm"]).status.success());
    assert!(server.stop());
}
