//! Makes the data folder that tomorrow's binary must open: a small bank with an event of every kind, files of every
//! kind, and a page with what it must say.
//!
//! `cargo run -p bank --example yesterday -- crates/bankcore/tests/yesterday/v1` writes each file compressed, since
//! segments are mostly zeros. Run it once for a format and keep what it made: a fixture that is made anew proves
//! nothing about yesterday.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use bank::database::Actor;
use bank::http::{App, Settings, router};
use bank::identity::{KeyMaterial, NewKey, Role};
use bank::service;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

type Failure = Box<dyn std::error::Error>;

/// The interface of the bank that is made, without a network.
struct Desk {
    router: Router,
    secret: String,
}

impl Desk {
    async fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {}", self.secret))
            .header("content-type", "application/json");
        let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let response = self.router.clone().oneshot(request.body(body)?).await?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// What must succeed; its id.
    async fn post(&self, path: &str, key: &str, body: Value) -> Result<String, Failure> {
        let (status, answer) = self.send("POST", path, key, &body).await?;
        if !(200..300).contains(&status) {
            return Err(format!("{path}: {status} {answer}").into());
        }
        Ok(answer["id"].as_str().unwrap_or_default().to_owned())
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        Ok(self.send("GET", path, "", &Value::Null).await?.1)
    }
}

fn movement(from: &str, to: &str, amount: &str) -> Value {
    json!({"from_account_id": from, "to_account_id": to, "amount": amount, "currency": "BDT"})
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let to = std::env::args().nth(1).ok_or("name the folder to write to")?;
    let folder = tempfile::tempdir()?;
    let mut settings = service::Settings { name: "Bank of Yesterday".into(), ..Default::default() };
    settings.store.journal.segment_bytes = 704 << 10;
    settings.store.journal.frame_bytes_max = 696 << 10;
    settings.store.journal.reserve_bytes = 0;
    settings.store.generation_claims = 40;
    settings.store.snapshot_every = 60;
    let service = Arc::new(service::create(folder.path(), &settings).await?);
    let admin = NewKey {
        name: "admin".into(),
        principal: "admin".parse()?,
        role: Role::Admin,
        accounts: Vec::new(),
        drawer: None,
        expires_at_us: None,
    };
    let by = Actor::new("root", "command line");
    let (_, secret) = service.keys.create_key(admin, &by, &KeyMaterial::from_system()?, 1).await?;
    let app =
        App::new(Arc::clone(&service), Settings { body_bytes_max: 1 << 20, behind_proxy: false, tls: false });
    let desk = Desk { router: router(Arc::clone(&app)), secret: secret.expose().to_owned() };

    let open = turn_money(&desk).await?;
    let pages = pages(&desk, &open).await?;
    for _ in 0..400 {
        let made = |folder_name: &str, end: &str| files(&folder.path().join(folder_name), end);
        if made("journal", ".idx")
            && made("keys", ".run")
            && made("references", ".run")
            && made("snapshots", ".snap")
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    drop((desk, app));
    let service = Arc::into_inner(service).ok_or("somebody still uses the bank")?;
    service.close().await;

    let report = bank::verify::verify(folder.path(), Box::new(|_, _| ())).await?;
    if !report.ok() {
        return Err(format!("{:?}", report.checks).into());
    }
    let hash: String = report.head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let head = json!({"sequence": report.head.sequence, "hash": hash});
    let page = json!({"secret": secret.expose(), "head": head, "pages": pages});
    pack(folder.path(), Path::new(&to))?;
    std::fs::write(Path::new(&to).join("expected.json"), serde_json::to_string_pretty(&page)? + "\n")?;
    Ok(())
}

/// An event of every kind; the hold that stays open.
async fn turn_money(desk: &Desk) -> Result<String, Failure> {
    for (name, kind, owner) in [
        ("Vault", "asset", None),
        ("Capital", "equity", None),
        ("Alice", "liability", Some("alice")),
        ("Bob", "liability", Some("bob")),
        ("Fees", "income", None),
        ("Rent", "expense", None),
    ] {
        let mut wish = json!({"name": name, "type": kind, "currency": "BDT"});
        wish["owner"] = owner.map_or(Value::Null, Value::from);
        desk.post("/accounts", name, wish).await?;
    }
    let line = |account: &str, side: &str, amount: &str| json!({"account_id": account, "side": side, "amount": amount, "currency": "BDT"});
    let entries =
        [line("1", "debit", "1000000.00"), line("2", "credit", "999000.50"), line("5", "credit", "999.50")];
    desk.post("/transactions", "fund", json!({"entries": entries, "description": "Opening"})).await?;
    let cash = |account: &str, amount: &str| json!({"account_id": account, "amount": amount, "currency": "BDT", "drawer_account_id": "1"});
    desk.post("/banker/deposits", "deposit", cash("3", "50000.00")).await?;
    desk.post("/banker/withdrawals", "withdrawal", cash("3", "1000.00")).await?;

    let hold = |seconds: u32| {
        json!({"account_id": "3", "to_account_id": "4", "amount": "70.00", "currency": "BDT",
        "expires_in_seconds": seconds})
    };
    let captured = desk.post("/holds", "hold-1", hold(3_600)).await?;
    desk.post(&format!("/holds/{captured}/capture"), "capture", json!({"amount": "30.00"})).await?;
    let voided = desk.post("/holds", "hold-2", hold(3_600)).await?;
    desk.post(&format!("/holds/{voided}/void"), "void", json!({})).await?;
    let expired = desk.post("/holds", "hold-3", hold(1)).await?;
    let open = desk
        .post("/holds", "hold-4", json!({"account_id": "3", "amount": "9.99", "currency": "BDT"}))
        .await?;

    let paid = desk.post("/transactions/transfer", "pay", movement("3", "4", "100.00")).await?;
    for (key, body) in [("undo-1", json!({"amount": "40.00"})), ("undo-2", json!({}))] {
        desk.post(&format!("/transactions/{paid}/reversal"), key, body).await?;
    }
    let batch = json!({"atomic": true, "commands": [{"transfer": movement("3", "4", "5.00")},
        {"transfer": movement("4", "3", "2.00")}]});
    desk.post("/transactions/batch", "group", batch).await?;
    desk.post("/accounts/4/freeze", "freeze", json!({"reason": "Court order"})).await?;
    desk.post("/accounts/4/unfreeze", "unfreeze", json!({})).await?;
    let (status, _) =
        desk.send("POST", "/transactions/transfer", "refused", &movement("4", "3", "900000.00")).await?;
    if status != 422 {
        return Err("what is not there was moved".into());
    }
    for number in 0..180 {
        let (from, to) = if number % 2 == 0 { ("3", "4") } else { ("4", "3") };
        let mut transfer = movement(from, to, &format!("{}.25", 10 + number / 2));
        if number % 2 == 0 {
            transfer["reference"] = format!("INV-{}", number % 14).into();
            transfer["description"] = "ভাড়া, November".into();
        }
        desk.post("/transactions/transfer", &format!("transfer-{number}"), transfer).await?;
    }
    let key = json!({"name": "Alice's phone", "principal": "alice", "role": "customer", "accounts": ["3"]});
    let made = desk.send("POST", "/keys", "", &key).await?.1;
    let prefix = made["prefix"].as_str().ok_or("a key has a prefix")?.to_owned();
    desk.send("DELETE", &format!("/keys/{prefix}"), "", &Value::Null).await?;
    while desk.get(&format!("/holds/{expired}")).await?["status"] != "expired" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let day = desk.get("/business-day").await?["open"].clone();
    desk.post("/business-day/close", "", json!({"date": day})).await?;
    let next =
        day.as_str().and_then(|day| day.parse::<jiff::civil::Date>().ok()).ok_or("a day")?.tomorrow()?;
    desk.post("/business-day/open", "", json!({"date": next.to_string()})).await?;
    desk.post("/transactions/transfer", "next-day", movement("3", "4", "1.00")).await?;
    Ok(open)
}

/// What the bank says of itself, by path: what later days and events do not change.
async fn pages(desk: &Desk, open: &str) -> Result<Value, Failure> {
    let mut pages = serde_json::Map::new();
    let accounts = (1..=6).map(|id| format!("/accounts/{id}"));
    let rest = ["/accounts/3/entries?limit=20", "/audit?limit=500", "/idempotency/pay"].map(str::to_owned);
    for path in accounts.chain(rest).chain([format!("/holds/{open}")]) {
        let page = desk.get(&path).await?;
        pages.insert(path, page);
    }
    pages.insert("/trial-balance".into(), json!({"lines": desk.get("/trial-balance").await?["lines"]}));
    Ok(pages.into())
}

fn files(folder: &Path, end: &str) -> bool {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    names.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(end))
}

/// Each file of the folder, compressed, under its own name.
fn pack(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            pack(&path, &to.join(name))?;
        } else if name != "LOCK" {
            let file = std::fs::File::create(to.join(format!("{}.gz", name.to_string_lossy())))?;
            let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
            packed.write_all(&std::fs::read(path)?)?;
            packed.finish()?;
        }
    }
    Ok(())
}
