//! What the clients know: their intents, what they were told, and the balances that follow from it.

use std::collections::BTreeMap;

use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// A sum of what was told, in hundredths; it knows nothing of the service's rules.
pub struct Books {
    teller: String,
    drawer: String,
    customers: Vec<String>,
    balances: BTreeMap<String, i128>,
    posted: u64,
    refused: u64,
}

/// One thing that a client wants, under its key.
pub struct Intent {
    key: String,
    path: &'static str,
    body: Value,
    /// Account and change of its balance, if it is posted.
    effect: Vec<(String, i128)>,
}

/// What the client was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// It happened; the transaction.
    Posted(Value),
    /// It did not, for this reason.
    Refused(String),
    /// No answer.
    Nothing,
}

impl Books {
    /// Of a fresh demo bank.
    pub fn new(demo: Value) -> Books {
        let text = |value: &Value| value.as_str().expect("demo.json holds texts").to_owned();
        let names = ["alice_savings", "bob_savings", "carol_savings", "carol_current"];
        let mut books = Books {
            teller: text(&demo["keys"]["teller_1"]),
            drawer: text(&demo["accounts"]["drawer_1"]),
            customers: names.iter().map(|name| text(&demo["accounts"][name])).collect(),
            balances: BTreeMap::new(),
            posted: 0,
            refused: 0,
        };
        let url = text(&demo["url"]);
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .expect("demo.json names the address");
        let mut client = Client::connect(address);
        for account in books.accounts() {
            let now = books.balance_there(&mut client, &account);
            books.balances.insert(account, now);
        }
        books
    }

    /// The teller's API key.
    pub fn teller(&self) -> &str {
        &self.teller
    }

    /// How many transactions were posted.
    pub fn posted(&self) -> u64 {
        self.posted
    }

    /// How many requests were refused.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    fn accounts(&self) -> Vec<String> {
        self.customers.iter().cloned().chain([self.drawer.clone()]).collect()
    }

    fn balance_there(&self, client: &mut Client, account: &str) -> i128 {
        let answer = client.ask(&format!("/api/v1/accounts/{account}"), &self.teller);
        assert_eq!(answer.status, 200, "{}", answer.body);
        hundredths(answer.body["ledger_balance"].as_str().expect("a balance is a text"))
    }

    /// Takes in what a client was told.
    pub fn fold(&mut self, intent: &Intent, told: &Told) {
        match told {
            Told::Posted(_) => {
                self.posted += 1;
                for (account, change) in &intent.effect {
                    *self.balances.get_mut(account).expect("only known accounts are used") += change;
                }
            }
            Told::Refused(_) => self.refused += 1,
            Told::Nothing => unreachable!("it was resolved"),
        }
    }

    /// The service says what the model says.
    pub fn compare(&self, client: &mut Client) {
        for (account, expected) in &self.balances {
            assert_eq!(self.balance_there(client, account), *expected, "balance of account {account}");
        }
    }
}

impl Intent {
    /// A transfer, deposit or withdrawal; some are too large and will be refused.
    pub fn draw(random: &mut StdRng, books: &Books, key: String) -> Intent {
        let amount =
            if random.random_ratio(1, 8) { 90_000_000_000 } else { random.random_range(1..5_000i128) };
        let text = format!("{}.{:02}", amount / 100, amount % 100);
        let one = random.random_range(0..books.customers.len());
        let other = (one + random.random_range(1..books.customers.len())) % books.customers.len();
        let (one, other) = (books.customers[one].clone(), books.customers[other].clone());
        let (path, body, effect) = match random.random_range(0..4) {
            0 => (
                "/api/v1/banker/deposits",
                json!({"account_id": one, "amount": text, "currency": "BDT"}),
                vec![(one, amount), (books.drawer.clone(), amount)],
            ),
            1 => (
                "/api/v1/banker/withdrawals",
                json!({"account_id": one, "amount": text, "currency": "BDT"}),
                vec![(one, -amount), (books.drawer.clone(), -amount)],
            ),
            _ => (
                "/api/v1/transactions/transfer",
                json!({"from_account_id": one, "to_account_id": other, "amount": text, "currency": "BDT", "reference": key}),
                vec![(one, -amount), (other, amount)],
            ),
        };
        Intent { key, path, body, effect }
    }

    /// Sends it once.
    pub fn send(&self, client: &mut Client, token: &str) -> Told {
        match client.send("POST", self.path, token, Some(&self.key), Some(&self.body)) {
            Some(answer) => told(answer),
            None => Told::Nothing,
        }
    }

    /// Finds out what became of it: asks by key, and sends it again if nothing was decided.
    pub fn resolve(&self, client: &mut Client, token: &str) -> Told {
        let found = client.ask(&format!("/api/v1/idempotency/{}", self.key), token);
        let asked = match found.status {
            200 if found.body["status"] == "posted" => Some(Told::Posted(found.body["transaction"].clone())),
            200 => Some(Told::Refused(found.body["problem"]["code"].as_str().unwrap_or_default().to_owned())),
            404 => None,
            other => panic!("asked by key, answered {other}: {}", found.body),
        };
        let sent = self.send(client, token);
        if let Some(asked) = asked {
            assert_eq!(sent, asked, "a retry of {} is answered as the first time", self.key);
        }
        sent
    }

    /// It is there as it was told, once; or not at all if it was refused.
    pub fn check(&self, client: &mut Client, token: &str, told: &Told) {
        let again =
            client.send("POST", self.path, token, Some(&self.key), Some(&self.body)).expect("an answer");
        let replayed = again.replayed;
        assert_eq!(&self::told(again), told, "{} again", self.key);
        if let Told::Posted(transaction) = told {
            assert!(replayed, "{} moved nothing the second time", self.key);
            let id = transaction["id"].as_str().expect("an id is a text");
            let read = client.ask(&format!("/api/v1/transactions/{id}"), token);
            assert_eq!(&read.body, transaction, "transaction {id}");
        }
    }
}

fn told(answer: Answer) -> Told {
    match answer.status {
        201 => Told::Posted(answer.body),
        422 => Told::Refused(answer.body["code"].as_str().expect("a problem has a code").to_owned()),
        // Not now: nothing was decided that a retry with the same key would not tell.
        503 | 429 => Told::Nothing,
        other => panic!("unexpected answer {other}: {}", answer.body),
    }
}

fn hundredths(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').expect("two decimals");
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i128 = whole.parse().expect("digits");
    whole * 100 + sign * part.parse::<i128>().expect("digits")
}
