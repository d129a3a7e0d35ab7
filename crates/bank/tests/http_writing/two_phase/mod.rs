//! Two banks, each the other's rail: payments that both commit or neither, and payments that are handed over.

mod deciding;
mod line;
mod saga;
mod trust;
mod ways;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bank::payments::rail::signature::{Key, sign};
use serde_json::{Value, json};

use crate::bank::*;
use line::Line;

const CLEARING: &str = "8";
const SETTLEMENT: &str = "9";
const SUSPENSE: &str = "10";

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Longer than anything here takes, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Alice of the first bank has 100.00; the second bank lends the first one 1,000.00 at most.
struct Sisters {
    payer: Bank,
    other: Bank,
    /// From the payer's bank to the other, and back.
    there: Line,
    back: Line,
    drivers: [tokio::task::JoinHandle<()>; 2],
}

impl Drop for Sisters {
    fn drop(&mut self) {
        self.drivers.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// A rail to the other bank, quick and soon out of patience.
fn rail(url: &str, prepare_within_ms: u64) -> Value {
    json!({
        "url": url, "timeout_ms": 500, "enquire_after_ms": 20, "enquire_at_most_ms": 50, "tries_max": 4,
        "two_phase": true, "prepare_within_ms": prepare_within_ms,
        "currencies": [{"currency": "BDT", "amount_max": "500.00", "clearing_account_id": CLEARING,
            "settlement_account_id": SETTLEMENT, "suspense_account_id": SUSPENSE}]})
}

fn key() -> Key {
    Key::from_text("k1", SECRET).unwrap()
}

fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

async fn open() -> Bank {
    let bank = Bank::open().await;
    for (name, kind) in [("clearing", "liability"), ("nostro", "asset"), ("suspense", "liability")] {
        let account = json!({"name": name, "type": kind, "currency": "BDT"});
        bank.admin("/accounts").key(name).json(account).await.expect(201);
    }
    bank
}

impl Sisters {
    /// With a minute to prepare: longer than any test without a reason of its own.
    async fn open() -> Sisters {
        Sisters::with(60_000).await
    }

    async fn with(prepare_within_ms: u64) -> Sisters {
        let (payer, other) = (open().await, open().await);
        payer.fund(ALICE, "100.00").await;
        let there = Line::to(other.router(), "payer").await;
        let back = Line::to(payer.router(), "other").await;
        for (bank, name, url) in [(&payer, "other", there.url()), (&other, "payer", back.url())] {
            bank.put(&bank.admin, &format!("/rails/{name}"))
                .json(rail(url, prepare_within_ms))
                .await
                .expect(201);
            let key = json!({"key_id": "k1", "secret": SECRET});
            bank.admin(&format!("/rails/{name}/keys")).json(key).await.expect(201);
        }
        let sisters = Sisters {
            drivers: [&payer, &other].map(|bank| {
                let payments = Arc::clone(&bank.service.payments);
                tokio::spawn(payments.drive(None))
            }),
            payer,
            other,
            there,
            back,
        };
        sisters.lend("1000.00").await;
        sisters
    }

    /// The exposure of the other bank to the payer's.
    async fn lend(&self, limit: &str) {
        overdraw(&self.other, CLEARING, limit).await;
    }

    /// Alice pays 10.00 to Bob of the other bank.
    async fn pay(&self, key: &str) -> Answer {
        self.payer.post(&self.payer.alice, "/payments").key(key).json(order(&self.number_of(BOB).await)).await
    }

    /// The account number of a customer of the other bank.
    async fn number_of(&self, account: &str) -> String {
        let shown = self.other.get(&self.other.admin, &format!("/accounts/{account}")).await.expect(200);
        shown.value()["number"].as_str().unwrap().to_owned()
    }

    async fn payment(&self, id: &str) -> Value {
        self.payer.get(&self.payer.admin, &format!("/payments/{id}")).await.expect(200).value()
    }

    /// Waits until a payment is in a state.
    async fn state(&self, id: &str, state: &str) -> Value {
        let start = Instant::now();
        loop {
            let payment = self.payment(id).await;
            if payment["state"] == state {
                return payment;
            }
            assert!(start.elapsed() < PATIENCE, "not {state}: {payment:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The other bank's promises, in any state, with their timelines.
    async fn promises(&self) -> Vec<Value> {
        let list = self.other.get(&self.other.operations, "/in-doubt?state=all").await.expect(200).value();
        let mut promises = Vec::new();
        for item in list["items"].as_array().unwrap() {
            let path = format!("/in-doubt/{}", item["id"].as_str().unwrap());
            promises.push(self.other.get(&self.other.auditor, &path).await.expect(200).value());
        }
        promises
    }

    /// Waits until the other bank's only promise is as wanted.
    async fn promise(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let promises = self.promises().await;
            assert!(promises.len() <= 1, "{promises:#?}");
            if let Some(promise) = promises.into_iter().find(|promise| wanted(promise)) {
                return promise;
            }
            assert!(start.elapsed() < PATIENCE, "it stays {:#?}", self.promises().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn decide(&self, promise: &Value, decision: &str) -> Answer {
        let path = format!("/in-doubt/{}/decide", promise["id"].as_str().unwrap());
        let body = json!({"decision": decision, "reason": "confirmed by letter"});
        self.other.post(&self.other.operations, &path).json(body).await
    }

    /// Ledger and available balance of Alice, then of clearing there and here, and of Bob.
    async fn money(&self) -> [String; 5] {
        let [alice, available, _] = self.payer.balances(ALICE).await;
        let [ours, _, _] = self.payer.balances(CLEARING).await;
        let [theirs, _, _] = self.other.balances(CLEARING).await;
        let [bob, _, _] = self.other.balances(BOB).await;
        [alice, available, ours, theirs, bob]
    }

    /// Both books balance, and the two clearing accounts mirror each other.
    async fn check(&self) {
        self.payer.check().await;
        self.other.check().await;
        let [_, _, ours, theirs, _] = self.money().await;
        let minor = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
        assert_eq!(minor(&ours), -minor(&theirs));
    }

    /// What the other bank is asked in the name of the payer's.
    async fn ask(&self, body: &Value) -> Answer {
        self.ask_over("payer", &key(), body).await
    }

    async fn ask_over(&self, rail: &str, key: &Key, body: &Value) -> Answer {
        let body = body.to_string();
        let mut ask = self.other.post("", &format!("/rails/{rail}/questions"));
        for (name, value) in sign(key, "q", now(), body.as_bytes()).headers() {
            ask = ask.header(name, &value);
        }
        ask.text(&body).await
    }
}

/// Lets an account of a bank be overdrawn.
async fn overdraw(bank: &Bank, account: &str, limit: &str) {
    let path = format!("/accounts/{account}");
    let shown = bank.get(&bank.admin, &path).await.expect(200);
    let etag = shown.header("etag").unwrap().to_owned();
    bank.ask(axum::http::Method::PATCH, &bank.admin, &format!("{path}/limits"))
        .header("if-match", &etag)
        .key(&format!("{account} {limit}"))
        .json(json!({"overdraft_limit": limit}))
        .await
        .expect(200);
}

/// The open cases of a bank, by kind.
async fn cases(bank: &Bank) -> Vec<String> {
    let answer = bank.get(&bank.operations, "/cases?status=open").await.expect(200).value();
    let items = answer["items"].as_array().unwrap().iter();
    items.map(|case| case["kind"].as_str().unwrap().to_owned()).collect()
}

/// Waits until a bank has these open cases.
async fn until_cases(bank: &Bank, expected: &[&str]) {
    let start = Instant::now();
    while cases(bank).await != expected {
        assert!(start.elapsed() < PATIENCE, "{:?} and not {expected:?}", cases(bank).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn order(to: &str) -> Value {
    json!({
        "rail": "other", "from_account_id": ALICE, "amount": "10.00", "currency": "BDT", "mode": "two_phase",
        "beneficiary": {"name": "Bob", "account": to}, "description": "Rent"})
}

/// The first question about a payment that no bank made.
fn prepare(reference: &str, to: &str) -> Value {
    json!({
        "operation": "prepare", "reference": reference, "amount": "10.00", "currency": "BDT",
        "debtor": {"name": "Alice", "account": "A1"}, "beneficiary": {"name": "Bob", "account": to},
        "decides_within_ms": 50})
}

fn about(operation: &str, reference: &str) -> Value {
    json!({"operation": operation, "reference": reference})
}

/// The states that a payment or a promise went through, each once.
fn states(of: &Value) -> Vec<&str> {
    let mut states: Vec<&str> =
        of["timeline"].as_array().unwrap().iter().map(|line| line["to"].as_str().unwrap()).collect();
    states.dedup();
    states
}

const START: [&str; 5] = ["100.00", "100.00", "0.00", "0.00", "0.00"];
const RESERVED: [&str; 5] = ["100.00", "90.00", "0.00", "0.00", "0.00"];
const PAID: [&str; 5] = ["90.00", "90.00", "10.00", "-10.00", "10.00"];
