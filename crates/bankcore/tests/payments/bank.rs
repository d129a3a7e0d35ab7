//! The bank: one `bankcore serve` or several as processes, each killed and started again on the same port.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sim::server::{Database, MariaDb};
use tempfile::TempDir;

use crate::common::{self, Kept, get, http};

/// How long a start may take, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bank with one service or several. The first one made it, and its folder holds the demonstration's keys.
pub struct Bank {
    services: Vec<Service>,
    database: Option<Database>,
    demo: Value,
}

/// A service: a process, on a port that it keeps over all its lives, so that notices and clients find it.
struct Service {
    folder: TempDir,
    address: String,
    /// What it is started with besides folder and address.
    words: Vec<String>,
    process: Child,
}

/// A port that nobody has.
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

impl Service {
    fn start(words: &[&str]) -> Service {
        let folder = tempfile::Builder::new().prefix("bankcore-payments").tempdir().expect("a folder");
        let address = free_port();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let process = Service::life(&folder, &address, &words);
        let service = Service { folder, address, words, process };
        // The port answers before the folder is ready for the command line.
        service.waits_for("bankcore.sock");
        service
    }

    fn life(folder: &TempDir, address: &str, words: &[String]) -> Child {
        let dir = folder.path().to_str().expect("a plain path");
        let first = ["serve", "--listen", address, "--segment-mib", "2", "--data", dir];
        let words: Vec<&str> = first.into_iter().chain(words.iter().map(String::as_str)).collect();
        start(&words, address)
    }

    fn waits_for(&self, file: &str) {
        let begun = Instant::now();
        while !self.folder.path().join(file).exists() {
            assert!(begun.elapsed() < PATIENCE, "{file} is made");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it was our child");
    }

    fn restart(&mut self) {
        self.process = Service::life(&self.folder, &self.address, &self.words);
    }
}

impl Bank {
    /// One service, on a journal of its own.
    pub fn on_a_journal() -> Bank {
        let first = Service::start(&["--demo"]);
        first.waits_for("demo.json");
        let demo = common::demo_file(first.folder.path());
        Bank { services: vec![first], database: None, demo }
    }

    /// Two services, on one database.
    pub fn on_a_database() -> Bank {
        let database = MariaDb::shared().empty();
        let first = Service::start(&["--demo", "--store", &database.url]);
        first.waits_for("demo.json");
        let second = Service::start(&["--store", &database.url]);
        let demo = common::demo_file(first.folder.path());
        Bank { services: vec![first, second], database: Some(database), demo }
    }

    /// Where each of its services listens.
    pub fn addresses(&self) -> Vec<String> {
        self.services.iter().map(|service| service.address.clone()).collect()
    }

    fn address(&self) -> &str {
        &self.services[0].address
    }

    fn folder(&self) -> &std::path::Path {
        self.services[0].folder.path()
    }

    /// What the demonstration says of its rail.
    pub fn rail(&self) -> &Value {
        &self.demo["rail"]
    }

    /// Kills a service, the next one in turn, and starts it again.
    pub fn kill(&mut self, turn: usize) {
        let count = self.services.len();
        let service = &mut self.services[turn % count];
        service.kill();
        service.restart();
    }

    pub fn stop(&mut self) {
        self.services.iter_mut().for_each(Service::kill);
    }

    /// Kills the service and starts it again; what its bank database was in between.
    pub fn keep_database(&mut self) -> Kept {
        self.stop();
        let kept = Kept::of(self.folder());
        self.services[0].restart();
        kept
    }

    /// Kills the service and puts an older bank database under its books; what `verify` says then, before it is started
    /// again.
    pub fn set_back(&mut self, kept: &Kept) -> Value {
        self.stop();
        kept.put_back(self.folder());
        let output = common::run(self.folder(), &["verify", "--json"]);
        let report = serde_json::from_slice(&output.stdout).expect("JSON");
        self.services[0].restart();
        report
    }

    /// Sets the rail up for a test: short times, many questions.
    pub fn set_rail(&self, url: &str) {
        self.set("partner", url);
    }

    /// Sets up a rail of this name, over the same accounts.
    pub fn set(&self, name: &str, url: &str) {
        let account = |what: &str| self.demo["accounts"][what].as_str().expect("an account").to_owned();
        let carries =
            format!("BDT:1000.00:{}:{}:{}", account("clearing"), account("nostro"), account("suspense"));
        common::json(
            self.folder(),
            &[
                "rail",
                "set",
                name,
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
        let answer = http(self.address(), "POST", "/api/v1/banker/deposits", &headers, &body.to_string());
        assert_eq!(answer.expect("an answer").status, 201);
    }

    /// The ledger balance in minor units.
    pub fn balance(&self, account: &str) -> i64 {
        let id = self.demo["accounts"][account].as_str().expect("an account");
        let admin = self.demo["keys"]["admin"].as_str().expect("a key");
        let answer = get(self.address(), &format!("/api/v1/accounts/{id}"), admin);
        let text = answer.body["ledger_balance"].as_str().expect("a balance").replace('.', "");
        text.parse().expect("digits")
    }

    /// Open cases.
    pub fn cases(&self) -> Vec<Value> {
        let admin = self.demo["keys"]["admin"].as_str().expect("a key");
        let answer = get(self.address(), "/api/v1/cases?status=open", admin);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["items"].as_array().expect("a list").clone()
    }

    /// All payments.
    pub fn payments(&self) -> Vec<Value> {
        let admin = self.demo["keys"]["admin"].as_str().expect("a key");
        let mut items = Vec::new();
        let mut path = "/api/v1/payments?limit=500".to_owned();
        loop {
            let answer = get(self.address(), &path, admin);
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
        let words = match &self.database {
            None => vec!["verify"],
            Some(database) => vec!["verify", "--store", &database.url],
        };
        let report = common::json(self.folder(), &words);
        assert_eq!(report["ok"], true, "{report:#}");
    }
}

impl Drop for Service {
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
