//! Somebody's endpoint: a real HTTP server that answers as it is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::bank::Bank;

/// Longer than anything here takes that is not waited for on purpose.
const PATIENCE: Duration = Duration::from_secs(30);

/// What arrived.
#[derive(Clone)]
pub struct Got {
    pub headers: HeaderMap,
    pub raw: Bytes,
    pub body: Value,
    pub at: Instant,
    pub accepted: bool,
}

impl Got {
    pub fn sequence(&self) -> u64 {
        self.body["sequence"].as_str().map_or(0, |text| text.parse().unwrap())
    }

    pub fn touches(&self, account: &str) -> bool {
        let entries = self.body["data"]["entries"].as_array();
        entries.is_some_and(|entries| entries.iter().any(|entry| entry["account_id"] == account))
    }
}

/// How one request is answered.
pub enum Reply {
    Status(u16),
    With(u16, &'static str, String),
    Text(u16, String),
    Hang,
}

type Rule = Box<dyn Fn(&Got) -> Reply + Send>;

struct Inner {
    got: Mutex<Vec<Got>>,
    rule: Mutex<Rule>,
}

/// A running endpoint.
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// One that accepts everything.
    pub async fn start() -> Receiver {
        Receiver::start_at("127.0.0.1:0").await
    }

    /// The same, at a given place.
    pub async fn start_at(address: &str) -> Receiver {
        let rule: Rule = Box::new(|_| Reply::Status(204));
        let inner = Arc::new(Inner { got: Mutex::default(), rule: Mutex::new(rule) });
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Receiver { url, inner, server }
    }

    /// Answers so from now on.
    pub fn answers(&self, rule: impl Fn(&Got) -> Reply + Send + 'static) {
        *self.inner.rule.lock() = Box::new(rule);
    }

    /// Everything that arrived, in order.
    pub fn got(&self) -> Vec<Got> {
        self.inner.got.lock().clone()
    }

    /// The sequences that were accepted, in the order of their arrival.
    pub fn accepted(&self) -> Vec<u64> {
        self.got().iter().filter(|got| got.accepted).map(Got::sequence).collect()
    }

    /// Waits until it is so.
    #[track_caller]
    pub fn until(&self, what: &'static str, is: impl Fn(&[Got]) -> bool) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let began = Instant::now();
            while !is(&self.inner.got.lock()) {
                assert!(began.elapsed() < PATIENCE, "{place}: {what}: {:?}", self.accepted());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Waits until all of these were accepted.
    pub async fn has(&self, sequences: &[u64]) {
        let all = |got: &[Got]| {
            sequences.iter().all(|wanted| got.iter().any(|got| got.accepted && got.sequence() == *wanted))
        };
        self.until("all events arrive", all).await;
    }

    /// Each lane's events arrived in order, if each is counted when it was first accepted.
    pub fn is_in_order(&self) {
        let mut newest: HashMap<String, u64> = HashMap::new();
        let mut seen = std::collections::HashSet::new();
        for got in self.got().iter().filter(|got| got.accepted) {
            if !seen.insert(got.sequence()) {
                continue;
            }
            for entry in got.body["data"]["entries"].as_array().unwrap() {
                let account = entry["account_id"].as_str().unwrap();
                // The first three accounts of the test bank are its own and make no lanes.
                if account.parse::<u64>().unwrap() <= 3 {
                    continue;
                }
                let before = newest.insert(account.to_owned(), got.sequence());
                assert!(before.is_none_or(|before| before < got.sequence()), "account {account}: {before:?}");
            }
        }
    }

    /// Registers it with a bank; the answer.
    pub async fn registered(&self, bank: &Bank, more: Value) -> Value {
        let mut wish = json!({"name": "test", "url": self.url});
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        bank.admin("/webhooks").json(wish).await.expect(201).value()
    }
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, raw: Bytes) -> Response {
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let mut got = Got { headers, raw, body, at: Instant::now(), accepted: false };
    let reply = (inner.rule.lock())(&got);
    let status = match &reply {
        Reply::Status(status) | Reply::With(status, ..) | Reply::Text(status, _) => *status,
        Reply::Hang => 0,
    };
    got.accepted = (200..300).contains(&status);
    inner.got.lock().push(got);
    let mut response = Response::new(Body::empty());
    match reply {
        Reply::Status(_) => {}
        Reply::With(_, name, value) => {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Reply::Text(_, text) => *response.body_mut() = Body::from(text),
        Reply::Hang => std::future::pending().await,
    }
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

/// A bank whose webhooks may go to this machine, at work.
pub async fn bank() -> Bank {
    let bank = Bank::with(settings()).await;
    bank.service.outbox.start().await.unwrap();
    bank
}

pub fn settings() -> bank::service::Settings {
    let mut settings = bank::service::Settings::default();
    settings.outbox.webhook_allow = "127.0.0.1".parse().unwrap();
    settings
}

/// Moves one taka; the event's sequence.
pub async fn pay(bank: &Bank, from: (&str, &str), to: &str, key: &str) -> u64 {
    let body = json!({"from_account_id": from.1, "to_account_id": to, "amount": "1.00", "currency": "BDT"});
    bank.post(from.0, "/transactions/transfer").key(key).json(body).await.expect(201).id().parse().unwrap()
}

/// Takes in one taka at the first drawer; the event's sequence.
pub async fn deposit(bank: &Bank, account: &str, key: &str) -> u64 {
    let body = json!({"account_id": account, "amount": "1.00", "currency": "BDT"});
    bank.post(&bank.teller, "/banker/deposits").key(key).json(body).await.expect(201).id().parse().unwrap()
}
