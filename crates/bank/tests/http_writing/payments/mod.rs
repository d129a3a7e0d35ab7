//! Payments, seen from outside: over a rail that says what the test tells it to say.

mod bad_input;
mod incoming;
mod notices;
mod queued;
mod rail;
mod way;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bank::*;
use rail::Rail;

const CLEARING: &str = "8";
const NOSTRO: &str = "9";
const SUSPENSE: &str = "10";

/// Longer than anything here takes, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bank with a rail; Alice has 100.00.
struct Paying {
    bank: Bank,
    rail: Rail,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Paying {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A rail as the bank is told of it: quick, and soon out of patience; but what it has accepted it is left to finish.
fn wish(url: &str) -> Value {
    json!({
        "url": url, "timeout_ms": 300, "enquire_after_ms": 20, "enquire_at_most_ms": 50, "tries_max": 4,
        "settles_within_seconds": 3_600,
        "currencies": [{"currency": "BDT", "amount_max": "50.00", "clearing_account_id": CLEARING,
            "settlement_account_id": NOSTRO, "suspense_account_id": SUSPENSE}]})
}

impl Paying {
    async fn open() -> Paying {
        let bank = Bank::open().await;
        for (name, kind) in [("clearing", "liability"), ("nostro", "asset"), ("suspense", "liability")] {
            let account = json!({"name": name, "type": kind, "currency": "BDT"});
            bank.admin("/accounts").key(name).json(account).await.expect(201);
        }
        let entries = json!({"entries": [
            {"account_id": NOSTRO, "side": "debit", "amount": "1000.00", "currency": "BDT"},
            {"account_id": CAPITAL, "side": "credit", "amount": "1000.00", "currency": "BDT"}]});
        bank.admin("/transactions").key("fund the nostro").json(entries).await.expect(201);
        bank.fund(ALICE, "100.00").await;
        let rail = Rail::start().await;
        bank.put(&bank.admin, "/rails/test").json(wish(rail.url())).await.expect(201);
        let key = json!({"key_id": "k1", "secret": rail::SECRET});
        bank.admin("/rails/test/keys").json(key).await.expect(201);
        let driver = tokio::spawn(Arc::clone(&bank.service.payments).drive(None));
        Paying { bank, rail, driver }
    }

    /// Alice pays 10.00.
    async fn pay(&self, key: &str) -> Answer {
        self.bank.post(&self.bank.alice, "/payments").key(key).json(order()).await
    }

    async fn payment(&self, id: &str) -> Value {
        self.bank.get(&self.bank.admin, &format!("/payments/{id}")).await.expect(200).value()
    }

    /// Waits until a payment is as wanted.
    #[track_caller]
    fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> impl Future<Output = Value> {
        let id = id.to_owned();
        async move {
            let start = Instant::now();
            loop {
                let payment = self.payment(&id).await;
                if wanted(&payment) {
                    return payment;
                }
                assert!(start.elapsed() < PATIENCE, "it stays {payment:#}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Waits until a payment is in a state.
    async fn state(&self, id: &str, state: &str) -> Value {
        self.until(id, |payment| payment["state"] == state).await
    }

    /// The open cases.
    async fn cases(&self) -> Vec<Value> {
        let answer = self.bank.get(&self.bank.operations, "/cases?status=open").await.expect(200).value();
        answer["items"].as_array().unwrap().clone()
    }

    async fn resolve(&self, case: &Value, resolution: &str) -> Answer {
        let path = format!("/cases/{}/resolve", case["id"].as_str().unwrap());
        let body = json!({"resolution": resolution, "reason": "told by phone"});
        self.bank.post(&self.bank.operations, &path).json(body).await
    }

    /// Ledger balances of Alice, clearing, nostro and suspense.
    async fn money(&self) -> [String; 4] {
        let mut all = [const { String::new() }; 4];
        for (place, account) in all.iter_mut().zip([ALICE, CLEARING, NOSTRO, SUSPENSE]) {
            *place = self.bank.balances(account).await[0].clone();
        }
        all
    }
}

fn order() -> Value {
    json!({
        "rail": "test", "from_account_id": ALICE, "amount": "10.00", "currency": "BDT",
        "beneficiary": {"name": "Dora Demir", "account": "7001"}, "reference": "INV-7", "description": "Rent"})
}

/// The states that a payment went through.
fn states(payment: &Value) -> Vec<&str> {
    payment["timeline"].as_array().unwrap().iter().map(|line| line["to"].as_str().unwrap()).collect()
}
