//! A bank in a temporary folder, with accounts, keys for every role and a little history; and questions to it.
//!
//! Everything in it is the same in every run, but for the times and the bank's own id.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use bank::books::Decided;
use bank::database::Actor;
use bank::http::{App, Settings, local_router, router};
use bank::identity::{KeyMaterial, NewKey, Role};
use bank::service::{self, BusinessDays, Service};
use http_body_util::BodyExt;
use ledger::{Command, Digest, Event, NameId};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Accounts that every test bank has, by id.
pub const DRAWER: &str = "1";
pub const CAPITAL: &str = "2";
pub const ALICE: &str = "3";
pub const ALICE_TOO: &str = "4";
pub const BOB: &str = "5";

pub struct Bank {
    pub service: Arc<Service>,
    pub app: Arc<App>,
    pub router: Router,
    pub admin: String,
    pub teller: String,
    pub operations: String,
    pub auditor: String,
    pub alice: String,
    pub bob: String,
    pub folder: tempfile::TempDir,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Bank {
    pub async fn open() -> Bank {
        Bank::with(service::Settings::default()).await
    }

    pub async fn with(mut settings: service::Settings) -> Bank {
        small(&mut settings);
        let folder = tempfile::tempdir().unwrap();
        let service = Arc::new(service::create(folder.path(), &settings).await.unwrap());
        let app = App::new(Arc::clone(&service), SETTINGS);
        let bank = Bank {
            admin: key(&service, 1, "admin", Role::Admin, &[], None).await,
            teller: key(&service, 2, "teller", Role::Banker, &[], Some(1)).await,
            operations: key(&service, 3, "operations", Role::Operations, &[], None).await,
            auditor: key(&service, 4, "auditor", Role::Auditor, &[], None).await,
            alice: key(&service, 5, "alice", Role::Customer, &[3, 4], None).await,
            bob: key(&service, 6, "bob", Role::Customer, &[5], None).await,
            router: router(Arc::clone(&app)),
            service,
            app,
            folder,
        };
        // A century away: the first day may not lie before the one that the clock shows, whenever this runs.
        bank.day("2126-11-22").await;
        for (name, kind, owner) in [
            ("Drawer", "asset", None),
            ("Capital", "equity", None),
            ("Alice, current", "liability", Some("alice")),
            ("Alice, savings", "liability", Some("alice")),
            ("Bob, current", "liability", Some("bob")),
        ] {
            let mut wish = json!({"name": name, "type": kind, "currency": "BDT"});
            if let Some(owner) = owner {
                wish["owner"] = owner.into();
            }
            bank.post(&bank.admin, "/accounts", name, wish).await.expect(201);
        }
        let lines = json!({"entries": [
            {"account_id": DRAWER, "side": "debit", "amount": "100000.00", "currency": "BDT"},
            {"account_id": CAPITAL, "side": "credit", "amount": "100000.00", "currency": "BDT"}]});
        bank.post(&bank.operations, "/transactions", "capital", lines).await.expect(201);
        let deposit = json!({"account_id": ALICE, "amount": "10000.00", "currency": "BDT"});
        bank.post(&bank.teller, "/banker/deposits", "deposit", deposit).await.expect(201);
        bank
    }

    /// The same bank, closed and opened again.
    pub async fn reopened(self, change: impl FnOnce(&mut service::Settings)) -> Bank {
        drop((self.app, self.router));
        Arc::into_inner(self.service).expect("nobody uses the bank any more").close().await;
        let mut settings = service::Settings::default();
        small(&mut settings);
        change(&mut settings);
        let service = Arc::new(service::open(self.folder.path(), &settings).await.unwrap());
        let app = App::new(Arc::clone(&service), SETTINGS);
        Bank { router: router(Arc::clone(&app)), service, app, ..self }
    }

    /// Closes the business day, if one is open, and opens this one.
    pub async fn day(&self, date: &str) {
        if let Some(open) = self.service.books.day().await.unwrap().open {
            self.submit(Command::CloseDay { date: open }).await;
        }
        self.submit(Command::OpenDay { date: date.parse().unwrap() }).await;
    }

    /// Has a command decided for the bank itself.
    pub async fn submit(&self, command: Command) -> Event {
        let request = ledger::Request::new(command, NameId(0)).with_key(Digest::NONE);
        match self.service.books.submit(request).await.unwrap() {
            Decided::Accepted { event, .. } => event,
            other => panic!("{other:?}"),
        }
    }

    /// From Alice to Bob, so many times 1.00.
    pub async fn transfers(&self, count: usize) {
        self.transfers_of(100, count).await;
    }

    /// From Alice to Bob, so many times so much.
    pub async fn transfers_of(&self, minor: i64, count: usize) {
        let movement = ledger::command::Movement {
            from: ledger::AccountId(3),
            to: ledger::AccountId(5),
            amount: minor,
            currency: ledger::Currency::from_code("BDT").unwrap(),
        };
        let one = ledger::Request::new(Command::Transfer(movement), NameId(0)).with_key(Digest::NONE);
        for decided in self.service.books.submit_all(vec![one; count]).await.unwrap() {
            assert!(matches!(decided.unwrap(), Decided::Accepted { .. }));
        }
    }

    pub async fn transfer(&self, token: &str, key: &str, amount: &str, more: Value) -> Answer {
        let mut body =
            json!({"from_account_id": ALICE, "to_account_id": BOB, "amount": amount, "currency": "BDT"});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        self.post(token, "/transactions/transfer", key, body).await
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(Method::GET, token, path, None, None).await
    }

    pub async fn post(&self, token: &str, path: &str, key: &str, body: Value) -> Answer {
        self.send(Method::POST, token, path, Some(key), Some(body)).await
    }

    pub async fn send(
        &self,
        method: Method,
        token: &str,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Answer {
        let path = if path.starts_with("/api") { path.to_owned() } else { format!("/api/v1{path}") };
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.ask(request.body(body).unwrap()).await
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        answer(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Over the socket in the data folder.
    pub async fn local(&self, method: Method, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        answer(local_router(Arc::clone(&self.app)).oneshot(request).await.unwrap()).await
    }

    /// All pages of a list, one after the other.
    pub async fn pages(&self, token: &str, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = path.to_owned();
        for _ in 0..10_000 {
            let page = self.get(token, &next).await.expect(200);
            let body = page.value();
            items.extend(body["items"].as_array().unwrap().iter().cloned());
            let Some(cursor) = body["next_cursor"].as_str() else {
                assert_eq!(page.header("link"), None);
                return items;
            };
            let link = page.header("link").unwrap();
            let (url, rel) = link.split_once('>').unwrap();
            assert_eq!(rel, "; rel=\"next\"");
            assert!(url.ends_with(&format!("cursor={cursor}")), "{url}");
            next = url.strip_prefix('<').unwrap().to_owned();
        }
        panic!("{path} has no end");
    }

    /// An answer without what differs from run to run.
    pub fn golden(&self, answer: &Answer) -> Value {
        let bank: String = self.service.identity.bank.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut value = answer.value();
        redact(&mut value, &bank);
        value
    }
}

const SETTINGS: Settings = Settings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false };

fn small(settings: &mut service::Settings) {
    settings.store.journal.segment_bytes = 8 << 20;
    settings.store.journal.frame_bytes_max = 4 << 20;
    settings.name = "First Bank".into();
    settings.business_days = BusinessDays::Manual;
}

async fn key(
    service: &Service,
    seed: u8,
    name: &str,
    role: Role,
    accounts: &[u64],
    drawer: Option<u64>,
) -> String {
    let new = NewKey {
        name: name.to_owned(),
        principal: name.parse().unwrap(),
        role,
        accounts: accounts.to_vec(),
        drawer,
        expires_at_us: None,
    };
    let material = KeyMaterial::from_bytes(&[seed; KeyMaterial::BYTES]);
    let made = service.keys.create_key(new, &Actor::new("root", "test"), &material, 1).await.unwrap();
    made.1.expose().to_owned()
}

async fn answer(response: axum::response::Response) -> Answer {
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        text: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let body = self.value();
        assert!(body["request_id"].is_string(), "{body}");
        (self.status, body["code"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn id(&self) -> String {
        self.value()["id"].as_str().unwrap().to_owned()
    }
}

fn redact(value: &mut Value, bank: &str) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| redact(field, bank));
            if let Some(id) = fields.get_mut("request_id") {
                *id = "[request]".into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, bank)),
        Value::String(text) if text.len() == 27 && text.ends_with('Z') && text.contains('T') => {
            *text = "[time]".to_owned();
        }
        Value::String(text) => *text = text.replace(bank, "[bank]"),
        _ => {}
    }
}
