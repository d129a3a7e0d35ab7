//! Bodies: whatever is sent, the answer is what was asked for or a problem document that says what is wrong.

use std::sync::{Arc, OnceLock};

use arbitrary::{Result, Unstructured};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bank::database::Actor;
use bank::http::{App, Settings, router};
use bank::identity::{KeyMaterial, NewKey, Role};
use bank::service;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::mutate::mutate;

/// A bank with two accounts, for as long as the process lives.
struct Desk {
    runtime: Runtime,
    router: Router,
    secret: String,
    _folder: TempDir,
}

/// Sends a changed body to an endpoint.
///
/// # Panics
/// If the answer is no answer: a status of 500 or above, or a refusal that is not a whole problem document.
pub fn http(data: &[u8]) {
    static DESK: OnceLock<Desk> = OnceLock::new();
    let desk = DESK.get_or_init(Desk::open);
    let (path, body) = ask(&mut Unstructured::new(data)).expect("an input");
    let shown = String::from_utf8_lossy(&body).into_owned();
    let (status, kind, answer) = desk.send(path, &body);
    let text = String::from_utf8_lossy(&answer);
    assert!(status < 500, "{path} {shown}: {status} {text}");
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_else(|_| panic!("{path} {shown}: {text}"));
    if status >= 400 {
        assert_eq!(kind, "application/problem+json", "{path} {shown}");
        assert_eq!(answer["status"], status, "{path} {shown}: {text}");
        for field in ["type", "title", "code", "detail", "remedy", "request_id"] {
            let said = answer[field].as_str().is_some_and(|text| !text.is_empty());
            assert!(said, "{path} {shown}: no {field} in {text}");
        }
    }
}

/// Where to, and what.
fn ask(input: &mut Unstructured<'_>) -> Result<(&'static str, Vec<u8>)> {
    let line = |account: &str, side: &str| json!({"account_id": account, "side": side, "amount": "1.00", "currency": "BDT"});
    let transfer = json!({"from_account_id": "2", "to_account_id": "1", "amount": "1.00", "currency": "BDT",
        "description": "d", "reference": "r", "value_date": "2026-11-22"});
    let cash = json!({"account_id": "2", "amount": "1.00", "currency": "BDT", "drawer_account_id": "1"});
    let command = json!({"idempotency_key": "k", "transfer": transfer});
    let good = [
        ("/transactions/transfer", transfer.clone()),
        ("/banker/deposits", cash.clone()),
        ("/banker/withdrawals", cash),
        ("/transactions", json!({"entries": [line("1", "debit"), line("2", "credit")], "description": "d"})),
        (
            "/transactions/batch",
            json!({"atomic": false, "commands": [command, {"idempotency_key": "h",
            "hold": {"account_id": "2", "amount": "1.00", "currency": "BDT"}}]}),
        ),
        ("/transactions/batch", json!({"atomic": true, "commands": [{"transfer": transfer}]})),
        ("/transactions/9/reversal", json!({"amount": "1.00", "entries": [{"index": 0, "amount": "1.00"}]})),
        (
            "/holds",
            json!({"account_id": "2", "to_account_id": "1", "amount": "1.00", "currency": "BDT",
            "expires_at": "2126-11-22T00:00:00Z"}),
        ),
        ("/holds/9/capture", json!({"amount": "1.00", "to_account_id": "1"})),
        (
            "/accounts",
            json!({"name": "n", "type": "liability", "currency": "BDT", "owner": "dan",
            "number": "N1", "overdraft_limit": "0.00", "status": "active"}),
        ),
        ("/accounts/2/freeze", json!({"reason": "r"})),
        (
            "/keys",
            json!({"name": "n", "principal": "p", "role": "customer", "accounts": ["2"],
            "expires_at": "2126-11-22T00:00:00Z"}),
        ),
        ("/business-day/close", json!({"date": "2026-11-22"})),
    ];
    let (path, body) = input.choose(&good)?;
    let mut bytes = match input.int_in_range(0..=3)? {
        0 => changed_value(input, body.clone())?.to_string().into_bytes(),
        1 => input.bytes(input.len().min(64))?.to_vec(),
        _ => body.to_string().into_bytes(),
    };
    if input.ratio(3, 4)? {
        mutate(input, &mut bytes)?;
    }
    Ok((path, bytes))
}

/// Another value somewhere in the document.
fn changed_value(input: &mut Unstructured<'_>, mut document: Value) -> Result<Value> {
    let others = [
        json!(null),
        json!(0),
        json!(-1.5e308),
        json!(u64::MAX),
        json!(true),
        json!([]),
        json!({}),
        json!(""),
        json!("-0.00"),
        json!("92233720368547758.08"),
        json!("1.005"),
        json!("18446744073709551616"),
        json!("০১"),
        json!("\u{0}\u{202e}"),
        json!("9999-12-31"),
        json!("x".repeat(600)),
    ];
    let mut place = &mut document;
    loop {
        let count =
            place.as_object().map_or_else(|| place.as_array().map_or(0, Vec::len), serde_json::Map::len);
        if count == 0 || input.ratio(1, 8)? {
            break;
        }
        let at = input.choose_index(count)?;
        place = match place {
            Value::Object(fields) => fields.values_mut().nth(at).expect("within"),
            Value::Array(items) => &mut items[at],
            _ => unreachable!("it has members"),
        };
    }
    *place = input.choose(&others)?.clone();
    Ok(document)
}

impl Desk {
    fn open() -> Desk {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = service::Settings { name: "Fuzz".into(), ..service::Settings::default() };
        settings.store.journal.segment_bytes = 16 << 20;
        settings.store.journal.frame_bytes_max = 8 << 20;
        settings.quota = (0, 1);
        let (router, secret) = runtime.block_on(async {
            let service = service::create(folder.path(), &settings).await.expect("a bank");
            let admin = NewKey {
                name: "admin".into(),
                principal: "admin".parse().expect("a principal"),
                role: Role::Admin,
                accounts: Vec::new(),
                drawer: None,
                expires_at_us: None,
            };
            let material = KeyMaterial::from_system().expect("randomness");
            let made = service.keys.create_key(admin, &Actor::new("root", "fuzz"), &material, 1).await;
            let limits = Settings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false };
            (router(App::new(Arc::new(service), limits)), made.expect("a key").1.expose().to_owned())
        });
        let desk = Desk { runtime, router, secret, _folder: folder };
        for (name, kind) in [("drawer", "asset"), ("alice", "liability")] {
            let wish = json!({"name": name, "type": kind, "currency": "BDT"}).to_string();
            assert_eq!(desk.send("/accounts", wish.as_bytes()).0, 201);
        }
        desk
    }

    fn send(&self, path: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let request = Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.secret))
            .header("content-type", "application/json")
            .header("idempotency-key", format!("{:08x}-{path}", crc32c::crc32c(body)))
            .body(Body::from(body.to_vec()))
            .expect("a request");
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.expect("an answer");
            let status = response.status().as_u16();
            let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
            let kind = kind.unwrap_or_default().to_owned();
            let bytes = response.into_body().collect().await.expect("a whole answer").to_bytes();
            (status, kind, bytes.to_vec())
        })
    }
}
