//! A bank in a temporary folder with a few accounts, and requests to it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use bank::database::Actor;
use bank::http::{App, Settings, router};
use bank::identity::{KeyMaterial, NewKey, Role};
use bank::service::{self, Service};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

/// Accounts that every test bank has, by id.
pub const DRAWER: &str = "1";
pub const OTHER_DRAWER: &str = "2";
pub const CAPITAL: &str = "3";
pub const ALICE: &str = "4";
pub const BOB: &str = "5";
pub const CAROL_SAVINGS: &str = "6";
pub const CAROL_CHECKING: &str = "7";

/// The bank and the keys of the people in it.
pub struct Bank {
    pub service: Arc<Service>,
    app: Arc<App>,
    router: Router,
    pub admin: String,
    pub teller: String,
    pub other_teller: String,
    pub operations: String,
    pub auditor: String,
    pub alice: String,
    pub bob: String,
    pub carol: String,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

/// A request on its way to be sent.
pub struct Ask<'a> {
    bank: &'a Bank,
    request: axum::http::request::Builder,
    body: Vec<u8>,
}

impl Bank {
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    pub async fn open() -> Bank {
        Bank::with(service::Settings::default()).await
    }

    pub async fn with(mut settings: service::Settings) -> Bank {
        settings.name = "First Bank".into();
        settings.store.journal.segment_bytes = 32 << 20;
        settings.store.journal.frame_bytes_max = 16 << 20;
        let folder = tempfile::tempdir().unwrap();
        let service = Arc::new(service::create(folder.path(), &settings).await.unwrap());
        let limits = Settings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false };
        let app = App::new(Arc::clone(&service), limits);
        let router = router(Arc::clone(&app));
        let admin = key(&service, "admin", Role::Admin, &[], None).await;
        let bank = Bank {
            teller: key(&service, "teller-1", Role::Banker, &[], Some(1)).await,
            other_teller: key(&service, "teller-2", Role::Banker, &[], Some(2)).await,
            operations: key(&service, "operations", Role::Operations, &[], None).await,
            auditor: key(&service, "auditor", Role::Auditor, &[], None).await,
            alice: key(&service, "alice", Role::Customer, &[4], None).await,
            bob: key(&service, "bob", Role::Customer, &[5], None).await,
            carol: key(&service, "carol", Role::Customer, &[6, 7], None).await,
            service,
            app,
            router,
            admin,
            _folder: folder,
        };
        // Whoever comes for the first time is given a number, which is an event of its own.
        for token in [
            &bank.admin,
            &bank.teller,
            &bank.other_teller,
            &bank.operations,
            &bank.auditor,
            &bank.alice,
            &bank.bob,
            &bank.carol,
        ] {
            bank.get(token, "/holds/1").await;
        }
        let accounts = [
            ("drawer 1", "asset", None),
            ("drawer 2", "asset", None),
            ("capital", "equity", None),
            ("Alice, savings", "liability", Some("alice")),
            ("Bob, savings", "liability", Some("bob")),
            ("Carol, savings", "liability", Some("carol")),
            ("Carol, checking", "liability", Some("carol")),
        ];
        for (name, kind, owner) in accounts {
            let mut wish = json!({"name": name, "type": kind, "currency": "BDT"});
            if let Some(owner) = owner {
                wish["owner"] = owner.into();
            }
            bank.admin("/accounts").key(name).json(wish).await.expect(201);
        }
        for (drawer, key) in [(DRAWER, "capital-1"), (OTHER_DRAWER, "capital-2")] {
            bank.admin("/transactions")
                .key(key)
                .json(json!({"entries": [
                    {"account_id": drawer, "side": "debit", "amount": "1000000.00", "currency": "BDT"},
                    {"account_id": CAPITAL, "side": "credit", "amount": "1000000.00", "currency": "BDT"}]}))
                .await
                .expect(201);
        }
        bank
    }

    /// Gives a customer money at the first drawer.
    pub async fn fund(&self, account: &str, amount: &str) {
        let body = json!({"account_id": account, "amount": amount, "currency": "BDT"});
        let key = format!("fund {}", self.events());
        self.post(&self.teller, "/banker/deposits").key(&key).json(body).await.expect(201);
    }

    /// The key of a new credential.
    pub async fn new_key(&self, principal: &str, role: Role, accounts: &[u64]) -> String {
        key(&self.service, principal, role, accounts, None).await
    }

    /// The interface, to be served.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub fn post<'a>(&'a self, token: &str, path: &str) -> Ask<'a> {
        self.ask(Method::POST, token, path)
    }

    pub fn put<'a>(&'a self, token: &str, path: &str) -> Ask<'a> {
        self.ask(Method::PUT, token, path)
    }

    /// Writes down who was turned away.
    pub async fn flush_attempts(&self) {
        self.app.flush_attempts().await;
    }

    /// The figures.
    pub async fn metrics(&self) -> String {
        let request = Request::builder().uri("/metrics");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.admin));
        Ask { bank: self, request, body: Vec::new() }.send().await.expect(200).text
    }

    pub fn admin<'a>(&'a self, path: &str) -> Ask<'a> {
        self.post(&self.admin, path)
    }

    pub fn ask<'a>(&'a self, method: Method, token: &str, path: &str) -> Ask<'a> {
        self.ask_at(method, token, &format!("/api/v1{path}"))
    }

    /// The same, at any path.
    pub fn ask_at<'a>(&'a self, method: Method, token: &str, path: &str) -> Ask<'a> {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        Ask { bank: self, request, body: Vec::new() }
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.ask(Method::GET, token, path).send().await
    }

    /// How many events there are: nothing was recorded if it did not change.
    pub fn events(&self) -> u64 {
        self.service.books.reads().head().sequence.0
    }

    /// An account's ledger and available balance and what is held.
    pub async fn balances(&self, account: &str) -> [String; 3] {
        let id = ledger::AccountId(account.parse().unwrap());
        let account = self.service.books.account(id).await.unwrap().unwrap().account;
        let figures = [account.ledger_balance(), account.available_balance(), account.reserved()];
        figures.map(|minor| ledger::money::Major(minor, account.currency()).to_string())
    }

    /// The books balance.
    pub async fn check(&self) {
        assert!(self.service.books.trial_balance().await.unwrap().is_balanced());
    }
}

async fn key(
    service: &Service,
    principal: &str,
    role: Role,
    accounts: &[u64],
    drawer: Option<u64>,
) -> String {
    let new = NewKey {
        name: principal.to_owned(),
        principal: principal.parse().unwrap(),
        role,
        accounts: accounts.to_vec(),
        drawer,
        expires_at_us: None,
    };
    let by = Actor::new("root", "test");
    let made = service.keys.create_key(new, &by, &KeyMaterial::from_system().unwrap(), 1).await.unwrap();
    made.1.expose().to_owned()
}

impl Ask<'_> {
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn body(mut self, kind: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.body = bytes.into();
        self.header("content-type", kind)
    }

    pub async fn json(self, body: Value) -> Answer {
        self.body("application/json", body.to_string()).send().await
    }

    pub async fn text(self, body: &str) -> Answer {
        self.body("application/json", body).send().await
    }

    pub async fn send(self) -> Answer {
        let request = self.request.body(Body::from(self.body)).unwrap();
        let response = self.bank.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Answer {
            status: parts.status.as_u16(),
            headers: headers.collect(),
            text: String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap(),
        }
    }
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// The status and the code of the problem.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        let body = self.value();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{body}");
        assert_eq!(body["status"], self.status);
        for field in ["type", "title", "detail", "remedy", "request_id"] {
            assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{field} is missing: {body}");
        }
        (self.status, body["code"].as_str().unwrap().to_owned())
    }

    pub fn value(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    pub fn id(&self) -> String {
        self.value()["id"].as_str().unwrap().to_owned()
    }

    /// Everything that a caller sees, without what differs from run to run.
    pub fn golden(&self) -> String {
        let mut shown = format!("{}\n", self.status);
        for name in ["content-type", "location", "etag", "idempotent-replayed", "retry-after"] {
            if let Some(value) = self.header(name) {
                shown +=
                    &format!("{name}: {}\n", if name == "location" { place(value) } else { value.into() });
            }
        }
        for line in self.text.lines() {
            let mut body: Value = serde_json::from_str(line).unwrap();
            redact(&mut body);
            shown += &format!("\n{}\n", serde_json::to_string_pretty(&body).unwrap());
        }
        shown
    }
}

/// Accounts are numbered the same in every run; events are not.
fn place(location: &str) -> String {
    match location.rsplit_once('/') {
        Some((path, _)) if !path.ends_with("accounts") => format!("{path}/[id]"),
        _ => location.to_owned(),
    }
}

fn redact(value: &mut Value) {
    const MOMENTS: [&str; 8] = [
        "posted_at",
        "placed_at",
        "expires_at",
        "ended_at",
        "opened_at",
        "booking_date",
        "value_date",
        "request_id",
    ];
    const EVENTS: [&str; 5] = ["hold_id", "original_id", "ended_by", "transaction_id", "detail"];
    match value {
        Value::Object(fields) => {
            let of_event = fields.contains_key("kind") || fields.contains_key("placed_at");
            for (name, field) in fields.iter_mut() {
                let id = name == "id" && of_event || EVENTS.contains(&name.as_str());
                match field {
                    Value::String(text) if MOMENTS.contains(&name.as_str()) => *text = format!("[{name}]"),
                    Value::String(text) if id => *text = without_ids(text, name == "detail"),
                    other => redact(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// In a sentence only the ids of events are hidden: they follow "id: ".
fn without_ids(text: &str, sentence: bool) -> String {
    if !sentence {
        return "[id]".to_owned();
    }
    let Some((before, after)) = text.split_once(" id: ") else { return text.to_owned() };
    let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
    format!("{before} id: [id]{rest}")
}
