//! A teller of the demo bank, who pays cash into Alice's account and writes down what came of it.

use std::path::Path;

use serde_json::json;

use crate::common::{Answer, Server, demo_file, http};

/// Who pays in.
pub struct Teller {
    address: String,
    token: String,
    account: String,
}

impl Teller {
    /// At this server, which runs a demo bank in `dir`.
    pub fn at(server: &Server, dir: &Path) -> Teller {
        let demo = demo_file(dir);
        let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        Teller {
            address: server.address.clone(),
            token: text(&demo["keys"]["teller_1"]),
            account: text(&demo["accounts"]["alice_savings"]),
        }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, "")
    }

    /// Pays in 1.00 under a key.
    pub fn deposit(&self, key: &str) -> Answer {
        let body = json!({"account_id": self.account, "amount": "1.00", "currency": "BDT"});
        self.ask("POST", "/api/v1/banker/deposits", Some(key), &body.to_string())
    }

    /// Pays in 0.01 so many times, each under a key of its own; true if that was accepted.
    pub fn deposits(&self, name: &str, count: usize) -> bool {
        let one = |index| {
            let deposit = json!({"account_id": self.account, "amount": "0.01", "currency": "BDT"});
            json!({"idempotency_key": format!("{name}-{index}"), "deposit": deposit})
        };
        let commands: Vec<_> = (0..count).map(one).collect();
        let body = json!({"atomic": false, "commands": commands}).to_string();
        let answer = self.ask("POST", "/api/v1/transactions/batch", None, &body);
        answer.status == 200 && answer.body["results"][count - 1]["status"] == 201
    }

    /// What became of a key.
    pub fn outcome(&self, key: &str) -> Answer {
        self.get(&format!("/api/v1/idempotency/{key}"))
    }

    /// Alice's balance.
    pub fn balance(&self) -> Answer {
        self.get(&format!("/api/v1/accounts/{}", self.account))
    }

    /// Everything that shows money, and everything that says whether it can be relied on.
    pub fn views(&self) -> Vec<String> {
        let account = &self.account;
        vec![
            format!("/api/v1/accounts/{account}"),
            format!("/api/v1/accounts/{account}/balance"),
            format!("/api/v1/accounts/{account}/entries"),
            "/api/v1/accounts".to_owned(),
            format!("/api/v1/transactions?account_id={account}"),
            "/api/v1/ready".to_owned(),
        ]
    }

    fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        headers.extend(key.map(|key| ("Idempotency-Key", key)));
        http(&self.address, method, path, &headers, body).expect("an answer")
    }
}

/// Not done: the status, the code, and what to do about it.
#[track_caller]
pub fn problem(answer: &Answer) -> (u16, &str) {
    assert!(answer.body["remedy"].as_str().is_some_and(|remedy| remedy.len() > 20), "{answer:?}");
    (answer.status, answer.body["code"].as_str().expect("a code"))
}
