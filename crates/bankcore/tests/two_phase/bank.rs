//! One of the banks: `bankcore serve --demo` as a process, killed and started again on the same port.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::{self, Kept, get, http};

/// How long a start may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub struct Bank {
    folder: TempDir,
    process: Mutex<Child>,
    address: String,
    store: Option<String>,
    demo: Value,
    /// It was moved here, and brought everything along.
    moved: bool,
}

/// A port that nobody has: the bank keeps it over all its lives, so that the other one finds it.
pub fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string()
}

impl Bank {
    pub fn start(address: &str, store: Option<&str>) -> Bank {
        let folder = tempfile::Builder::new().prefix("bankcore-two-phase").tempdir().expect("a folder");
        let process = Mutex::new(serve(&folder, address, store, true));
        // The port answers before the demonstration is written.
        let begun = Instant::now();
        while !folder.path().join("demo.json").exists() || !folder.path().join("bankcore.sock").exists() {
            assert!(begun.elapsed() < PATIENCE, "the demonstration is made");
            std::thread::sleep(Duration::from_millis(10));
        }
        let demo = common::demo_file(folder.path());
        let bank = Bank {
            folder,
            process,
            address: address.to_owned(),
            store: store.map(str::to_owned),
            demo,
            moved: false,
        };
        bank.deposit("1000000.00");
        bank.lend();
        bank
    }

    /// Makes the bank at an address the other end of a rail for both modes: quick, and patient.
    pub fn pair(&self, other: &str) {
        let url = format!("http://{other}/api/v1/rails/sister/questions");
        let carries = format!(
            "BDT:1000.00:{}:{}:{}",
            self.account("clearing"),
            self.account("nostro"),
            self.account("suspense")
        );
        let words = [
            "rail",
            "set",
            "sister",
            "--url",
            &url,
            "--carries",
            &carries,
            "--two-phase",
            "--prepare-within",
            "120000",
            "--timeout",
            "1000",
            "--enquire-after",
            "50",
            "--enquire-at-most",
            "300",
            "--tries-max",
            "1000",
            "--settles-within",
            "1",
        ];
        common::json(self.folder.path(), &words);
        self.move_the_demonstrations_rail();
        let secret = self.folder.path().join("secret");
        std::fs::write(&secret, SECRET).expect("a file");
        let secret = secret.to_str().expect("a plain path");
        common::json(self.folder.path(), &["rail", "add-key", "sister", "k1", "--secret-file", secret]);
    }

    /// The demonstration's rail has a clearing account of its own from now on: what lies on the other one is between the two
    /// banks, and can be told so from the books alone.
    fn move_the_demonstrations_rail(&self) {
        let dir = self.folder.path();
        let opened =
            common::json(dir, &["account", "open", "Own", "--type", "liability", "--currency", "BDT"]);
        let carries = format!(
            "BDT:1.00:{}:{}:{}",
            opened["id"].as_str().expect("an id"),
            self.account("nostro"),
            self.account("suspense")
        );
        let words = ["rail", "set", "partner", "--url", "http://127.0.0.1:9/rail", "--carries", &carries];
        common::json(dir, &words);
    }

    pub fn kill(&self) {
        let mut process = self.process.lock().expect("no panic");
        process.kill().expect("it can be killed");
        process.wait().expect("it was our child");
    }

    pub fn restart(&self) {
        let process = serve(&self.folder, &self.address, self.store.as_deref(), !self.moved);
        *self.process.lock().expect("no panic") = process;
    }

    pub fn stop(&mut self) {
        self.kill();
    }

    /// Kills the service and starts it again; what its bank database was in between.
    pub fn keep_database(&self) -> Kept {
        self.kill();
        let kept = Kept::of(self.folder.path());
        self.restart();
        kept
    }

    /// Moves the bank while nobody serves it: into a database, or into a new folder.
    pub fn move_to(&mut self, store: Option<&str>) {
        self.kill();
        let folder = tempfile::Builder::new().prefix("bankcore-two-phase").tempdir().expect("a folder");
        let path = |folder: &TempDir| folder.path().to_str().expect("a plain path").to_owned();
        let from = self.store.clone().unwrap_or_else(|| path(&self.folder));
        let to = store.map_or_else(|| path(&folder), str::to_owned);
        let output = common::bankcore().args(["migrate", "--json", "--from", &from, "--to", &to]).output();
        let output = output.expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (self.folder, self.store, self.moved) = (folder, store.map(str::to_owned), true);
        self.restart();
    }

    /// Has all events from the first on sent to an address.
    pub fn subscribe(&self, url: &str) {
        let words = ["webhook", "create", "--name", "test", "--url", url, "--after", "0"];
        common::json(self.folder.path(), &words);
    }

    /// The newest event, once it is delivered like all before it.
    pub fn delivered(&self) -> u64 {
        let begun = Instant::now();
        loop {
            let list = get(&self.address, "/api/v1/outbox", self.key("auditor")).body;
            let item = &list["items"][0];
            if item["lag_events"] == 0 && item["parked"] == 0 {
                return item["delivered_through"].as_str().expect("a number").parse().expect("a number");
            }
            assert!(begun.elapsed() < PATIENCE, "{list:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the service and starts it again over an older bank database.
    pub fn set_back(&self, kept: &Kept) {
        self.kill();
        kept.put_back(self.folder.path());
        self.restart();
    }

    pub fn verify(&self) {
        let store = self.store.as_ref().map(|url| ["verify", "--store", url]);
        let report = common::json(self.folder.path(), store.as_ref().map_or(&["verify"][..], |words| words));
        assert_eq!(report["ok"], true, "{report:#}");
    }

    fn account(&self, name: &str) -> &str {
        self.demo["accounts"][name].as_str().expect("an account")
    }

    fn key(&self, name: &str) -> &str {
        self.demo["keys"][name].as_str().expect("a key")
    }

    /// Alice brings 1.00.
    pub fn deposit_again(&self, key: &str) {
        self.deposit_as(key, "1.00");
    }

    fn deposit(&self, amount: &str) {
        self.deposit_as("deposit", amount);
    }

    fn deposit_as(&self, intent: &str, amount: &str) {
        let body = json!({"account_id": self.account("alice_savings"), "amount": amount, "currency": "BDT"});
        let key = format!("Bearer {}", self.key("teller_1"));
        let headers =
            [("Authorization", &*key), ("Idempotency-Key", intent), ("Content-Type", "application/json")];
        let answer = http(&self.address, "POST", "/api/v1/banker/deposits", &headers, &body.to_string());
        assert_eq!(answer.expect("an answer").status, 201);
    }

    /// The exposure to the other bank.
    fn lend(&self) {
        let path = format!("/api/v1/accounts/{}", self.account("clearing"));
        let version = get(&self.address, &path, self.key("admin")).body["version"].to_string();
        let (key, etag) =
            (format!("Bearer {}", self.key("admin")), format!("\"{}\"", version.trim_matches('"')));
        let headers = [
            ("Authorization", &*key),
            ("If-Match", &*etag),
            ("Idempotency-Key", "lend"),
            ("Content-Type", "application/json"),
        ];
        let body = json!({"overdraft_limit": "1000000.00"}).to_string();
        let answer = http(&self.address, "PATCH", &format!("{path}/limits"), &headers, &body);
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    fn figure(&self, account: &str, figure: &str) -> i64 {
        let path = format!("/api/v1/accounts/{}", self.account(account));
        let answer = get(&self.address, &path, self.key("admin"));
        let text = answer.body[figure].as_str().expect("a figure").replace('.', "");
        text.parse().expect("digits")
    }

    /// The ledger balance in minor units.
    pub fn balance(&self, account: &str) -> i64 {
        self.figure(account, "ledger_balance")
    }

    /// What is reserved, in minor units.
    pub fn held(&self, account: &str) -> i64 {
        self.figure(account, "held")
    }

    fn list(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = get(&self.address, &format!("{path}limit=500{cursor}"), self.key("admin"));
            assert_eq!(answer.status, 200, "{}", answer.body);
            items.extend(answer.body["items"].as_array().expect("a list").iter().cloned());
            match answer.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// All payments.
    pub fn payments(&self) -> Vec<Value> {
        self.list("/api/v1/payments?")
    }

    /// All promises.
    pub fn promises(&self) -> Vec<Value> {
        self.list("/api/v1/in-doubt?state=all&")
    }

    /// Promises that are not at an end.
    pub fn in_doubt(&self) -> Vec<Value> {
        let ends = ["committed", "aborted", "refused"];
        let open = |promise: &Value| !ends.iter().any(|end| promise["state"] == *end);
        self.promises().into_iter().filter(open).collect()
    }

    /// How often the customer who is paid was credited, by reference.
    pub fn credits(&self) -> HashMap<String, usize> {
        let mut credits = HashMap::new();
        for entry in self.list(&format!("/api/v1/accounts/{}/entries?", self.account("bob_savings"))) {
            let reference = entry["reference"].as_str().unwrap_or_default().to_owned();
            *credits.entry(reference).or_default() += 1;
        }
        credits
    }

    /// The account number of a customer who is paid.
    pub fn bob(&self) -> String {
        let path = format!("/api/v1/accounts/{}", self.account("bob_savings"));
        get(&self.address, &path, self.key("admin")).body["number"].as_str().expect("a number").to_owned()
    }

    /// The customer who pays.
    pub fn payer(&self) -> Payer {
        Payer {
            address: self.address.clone(),
            key: self.key("alice").to_owned(),
            account: self.account("alice_savings").to_owned(),
        }
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// Starts the binary and waits until it accepts.
fn serve(folder: &TempDir, address: &str, store: Option<&str>, demo: bool) -> Child {
    let mut command = common::bankcore();
    command.args([
        "serve",
        "--listen",
        address,
        "--segment-mib",
        "2",
        "--webhook-allow",
        "127.0.0.1",
        "--data",
    ]);
    command.arg(folder.path());
    if demo {
        command.arg("--demo");
    }
    if let Some(url) = store {
        command.args(["--store", url]);
    }
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert_eq!(process.try_wait().expect("it is our child"), None, "it goes on");
        assert!(begun.elapsed() < PATIENCE, "it starts");
        std::thread::sleep(Duration::from_millis(10));
    }
    process
}

/// A customer.
pub struct Payer {
    address: String,
    key: String,
    account: String,
}

impl Payer {
    /// Asks for payment `number` to somebody at the other bank, in one mode and the other by turns: its id; none if it is
    /// not known whether it was heard.
    pub fn pay(&self, number: usize, to: &str) -> Option<String> {
        let mode = ["two_phase", "saga"][number % 2];
        let body = json!({
            "rail": "sister", "from_account_id": self.account, "amount": format!("{}.00", 1 + number % 50),
            "currency": "BDT", "mode": mode, "reference": format!("PAY-{number}"),
            "beneficiary": {"name": "Bob", "account": to},
        });
        let (bearer, key) = (format!("Bearer {}", self.key), format!("pay-{number}"));
        let headers =
            [("Authorization", &*bearer), ("Idempotency-Key", &*key), ("Content-Type", "application/json")];
        match http(&self.address, "POST", "/api/v1/payments", &headers, &body.to_string()) {
            Some(answer) if answer.status == 201 => {
                Some(answer.body["id"].as_str().expect("an id").to_owned())
            }
            Some(answer) if answer.status == 503 => None,
            Some(answer) => panic!("{}: {}", answer.status, answer.body),
            None => None,
        }
    }

    /// Asks for a payment to be cancelled; it may be too late, or nobody may hear it.
    pub fn cancel(&self, id: &str) {
        let bearer = format!("Bearer {}", self.key);
        let headers = [("Authorization", &*bearer), ("Content-Type", "application/json")];
        let path = format!("/api/v1/payments/{id}/cancel");
        let answer = http(&self.address, "POST", &path, &headers, "{\"reason\": \"changed my mind\"}");
        let status = answer.as_ref().map(|answer| answer.status);
        assert!(matches!(status, None | Some(200 | 422 | 503)), "{answer:?}");
    }
}
