//! The bank: `bankcore serve --demo` as a process, killed and started again on the same port.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{self, get, http};

/// How long a start may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Bank {
    folder: TempDir,
    process: Child,
    address: String,
    demo: Value,
}

/// A port that nobody has: the bank keeps it over all its lives, so that notices find it.
pub fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string()
}

/// Starts the binary and waits until it accepts.
pub fn start(words: &[&str], address: &str) -> Child {
    let mut process = common::bankcore()
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        if process.try_wait().expect("it is our child").is_some() {
            return process;
        }
        assert!(begun.elapsed() < PATIENCE, "{words:?} does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    process
}

fn serve(dir: &Path, address: &str) -> Child {
    let dir = dir.to_str().expect("a plain path");
    start(&["serve", "--demo", "--listen", address, "--segment-mib", "2", "--data", dir], address)
}

impl Bank {
    pub fn start() -> Bank {
        let folder = tempfile::Builder::new().prefix("bankcore-payments").tempdir().expect("a folder");
        let address = free_port();
        let process = serve(folder.path(), &address);
        // The port answers before the demonstration is written.
        let begun = Instant::now();
        while !folder.path().join("demo.json").exists() || !folder.path().join("bankcore.sock").exists() {
            assert!(begun.elapsed() < PATIENCE, "the demonstration is made");
            std::thread::sleep(Duration::from_millis(10));
        }
        let demo = common::demo_file(folder.path());
        Bank { folder, process, address, demo }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// What the demonstration says of its rail.
    pub fn rail(&self) -> &Value {
        &self.demo["rail"]
    }

    pub fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it was our child");
    }

    pub fn restart(&mut self) {
        self.process = serve(self.folder.path(), &self.address);
    }

    pub fn stop(&mut self) {
        self.kill();
    }

    /// Sets the rail up for a test: short times, many questions.
    pub fn set_rail(&self, url: &str) {
        let account = |name: &str| self.demo["accounts"][name].as_str().expect("an account").to_owned();
        let carries =
            format!("BDT:1000.00:{}:{}:{}", account("clearing"), account("nostro"), account("suspense"));
        common::json(
            self.folder.path(),
            &[
                "rail",
                "set",
                "partner",
                "--url",
                url,
                "--carries",
                &carries,
                "--timeout",
                "2000",
                "--enquire-after",
                "50",
                "--enquire-at-most",
                "500",
                "--tries-max",
                "60",
                "--settles-within",
                "1",
            ],
        );
    }

    pub fn deposit(&self, account: &str, amount: &str) {
        let body = json!({"account_id": self.demo["accounts"][account], "amount": amount, "currency": "BDT"});
        let key = format!("Bearer {}", self.demo["keys"]["teller_1"].as_str().expect("a key"));
        let headers = [
            ("Authorization", key.as_str()),
            ("Idempotency-Key", "deposit"),
            ("Content-Type", "application/json"),
        ];
        let answer = http(&self.address, "POST", "/api/v1/banker/deposits", &headers, &body.to_string());
        assert_eq!(answer.expect("an answer").status, 201);
    }

    /// The ledger balance in minor units.
    pub fn balance(&self, account: &str) -> i64 {
        let id = self.demo["accounts"][account].as_str().expect("an account");
        let admin = self.demo["keys"]["admin"].as_str().expect("a key");
        let answer = get(&self.address, &format!("/api/v1/accounts/{id}"), admin);
        let text = answer.body["ledger_balance"].as_str().expect("a balance").replace('.', "");
        text.parse().expect("digits")
    }

    /// All payments.
    pub fn payments(&self) -> Vec<Value> {
        let admin = self.demo["keys"]["admin"].as_str().expect("a key");
        let mut items = Vec::new();
        let mut path = "/api/v1/payments?limit=500".to_owned();
        loop {
            let answer = get(&self.address, &path, admin);
            assert_eq!(answer.status, 200, "{}", answer.body);
            items.extend(answer.body["items"].as_array().expect("a list").iter().cloned());
            match answer.body["next_cursor"].as_str() {
                Some(cursor) => path = format!("/api/v1/payments?limit=500&cursor={cursor}"),
                None => return items,
            }
        }
    }

    /// Somebody who asks for payments.
    pub fn teller(&self) -> Payer {
        Payer {
            key: self.demo["keys"]["alice"].as_str().expect("a key").to_owned(),
            account: self.demo["accounts"]["alice_savings"].as_str().expect("an account").to_owned(),
        }
    }

    pub fn verify(&self) {
        let report = common::json(self.folder.path(), &["verify"]);
        assert_eq!(report["ok"], true, "{report:#}");
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A customer.
pub struct Payer {
    key: String,
    account: String,
}

impl Payer {
    /// Asks for payment `number`; false if it is not known whether it was heard.
    pub fn pay(&self, address: &str, number: usize) -> bool {
        let body = json!({
            "rail": "partner", "from_account_id": self.account, "amount": format!("{}.00", 1 + number % 50),
            "currency": "BDT", "reference": format!("PAY-{number}"),
            "beneficiary": {"name": "Dora Demir", "account": format!("{}", 7_000 + number % 10)},
        });
        let (bearer, key) = (format!("Bearer {}", self.key), format!("pay-{number}"));
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Idempotency-Key", &key),
            ("Content-Type", "application/json"),
        ];
        match http(address, "POST", "/api/v1/payments", &headers, &body.to_string()) {
            Some(answer) if answer.status == 201 => true,
            Some(answer) if answer.status == 503 => false,
            Some(answer) => panic!("{}: {}", answer.status, answer.body),
            None => false,
        }
    }
}

/// Whether a process of ours is gone.
pub fn is_gone(process: &mut Child) -> bool {
    process.try_wait().expect("it is our child").is_some()
}

/// `kill -9` by the process id that we have started.
pub fn end(process: &mut Child) {
    let _ = Command::new("kill").args(["-9", &process.id().to_string()]).stderr(Stdio::null()).status();
    let _ = process.wait();
}
