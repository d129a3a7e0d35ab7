//! The real binary under load, killed again and again: every event reaches a webhook and a file, in order per lane.

#[path = "../common/mod.rs"]
mod common;
mod receiver;
mod tls;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use common::{Server, demo_file, get, http, json};
use receiver::Receiver;

/// How often the server is killed.
const KILLS: usize = 6;

const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn no_event_is_lost_and_none_overtakes_another_of_its_account_over_kills() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("bank");
    let file = folder.path().join("events.ndjson");
    let flags = [
        "--demo",
        "--webhook-allow",
        "127.0.0.1",
        "--outbox-begin",
        "0",
        "--event-file",
        file.to_str().unwrap(),
    ];
    let receiver = Receiver::start();
    let mut server = Server::start(&data, &flags);
    let url = receiver.url();
    json(&data, &["webhook", "create", "--name", "test", "--url", &url, "--after", "0"]);
    for round in 0..KILLS {
        let (stop, paid) = (AtomicBool::new(false), AtomicU64::new(0));
        let (address, keys) = (server.address.clone(), demo_file(&data));
        std::thread::scope(|scope| {
            for teller in 0..4 {
                let (stop, paid, address, keys) = (&stop, &paid, &address, &keys);
                scope.spawn(move || pay(address, keys, &format!("{round}-{teller}"), stop, paid));
            }
            let began = Instant::now();
            while paid.load(Ordering::Relaxed) < 100 {
                assert!(began.elapsed() < PATIENCE, "the load goes on");
                std::thread::sleep(Duration::from_millis(5));
            }
            // At another moment of the writing of marks each time.
            std::thread::sleep(Duration::from_millis(97 * round as u64));
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
        server = Server::start(&data, &flags);
    }
    let head = settled(&server, &data);
    server.stop();
    let accounts = demo_file(&data)["accounts"].clone();
    let customers = ["carol_savings", "carol_current"].map(|name| accounts[name].as_str().unwrap());
    let webhook = receiver.got();
    complete("webhook", &webhook, head, &customers);
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    complete("file", &lines, head, &customers);
    println!("{head} events, {} came to the webhook, {} are in the file", webhook.len(), lines.len());
}

/// Pays until it is told to stop, or the server is gone.
fn pay(address: &str, keys: &Value, who: &str, stop: &AtomicBool, paid: &AtomicU64) {
    let key = keys["keys"]["carol"].as_str().expect("carol's key");
    let accounts = &keys["accounts"];
    let (savings, current) = (&accounts["carol_savings"], &accounts["carol_current"]);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let (from, to) = if number % 2 == 0 { (savings, current) } else { (current, savings) };
        let body = serde_json::json!({"from_account_id": from, "to_account_id": to, "amount": "1.00", "currency": "BDT"});
        let (bearer, intent) = (format!("Bearer {key}"), format!("{who}-{number}"));
        let headers = [
            ("Authorization", &*bearer),
            ("Idempotency-Key", &*intent),
            ("Content-Type", "application/json"),
        ];
        match http(address, "POST", "/api/v1/transactions/transfer", &headers, &body.to_string()) {
            Some(answer) if answer.status == 201 => {
                paid.fetch_add(1, Ordering::Relaxed);
            }
            Some(_) => {}
            None => return,
        }
    }
}

/// Waits until all is delivered; the newest event.
fn settled(server: &Server, data: &Path) -> u64 {
    let keys = demo_file(data);
    let began = Instant::now();
    loop {
        let list = get(&server.address, "/api/v1/outbox", keys["keys"]["auditor"].as_str().unwrap()).body;
        let items = list["items"].as_array().unwrap();
        if items.len() == 2 && items.iter().all(|item| item["lag_events"] == 0 && item["parked"] == 0) {
            return items[0]["delivered_through"].as_str().unwrap().parse().unwrap();
        }
        assert!(began.elapsed() < PATIENCE, "{list}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// All of it came, and nothing overtook another event of a customer's account.
fn complete(what: &str, got: &[Value], head: u64, customers: &[&str]) {
    let mut seen = HashSet::new();
    let mut newest: HashMap<&str, u64> = HashMap::new();
    for event in got {
        let sequence: u64 = event["sequence"].as_str().unwrap().parse().unwrap();
        if !seen.insert(sequence) {
            continue;
        }
        if event["type"] == "bankcore.posted" {
            // The bank's own accounts make no lanes.
            let entries = event["data"]["entries"].as_array().unwrap().iter();
            for account in entries.map(|entry| entry["account_id"].as_str().unwrap()) {
                if !customers.contains(&account) {
                    continue;
                }
                let before = newest.insert(account, sequence);
                let late = || format!("{what}, account {account}: {sequence} after {before:?}");
                assert!(before.is_none_or(|before| before < sequence), "{}", late());
            }
        }
    }
    let missing: Vec<u64> = (1..=head).filter(|sequence| !seen.contains(sequence)).collect();
    assert!(missing.is_empty(), "{what}: {missing:?} of {head}");
}
