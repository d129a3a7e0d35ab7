//! A receiver of webhooks that checks who sends and counts each event once, as every receiver should.
//!
//! ```text
//! cargo run -p bank --example webhook_receiver -- whsec_… 127.0.0.1:9000 received.db
//! bankcore serve --webhook-allow 127.0.0.1 …
//! bankcore webhook create --name mine --url http://127.0.0.1:9000/
//! ```
//! An event may come twice: after a crash of either side, or when somebody has it sent again. So its id is written
//! down in the same db tx as what it causes (here: a turnover for each account), and an id that is there already is
//! answered with 200 and changes nothing. Events of one customer's account come in order; an account's version in
//! the entry tells whether one is missing.

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use standardwebhooks::Webhook;

struct Receiver {
    webhook: Webhook,
    database: SqlitePool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [secret, address, file] = words.as_slice() else {
        eprintln!("usage: webhook_receiver SECRET ADDRESS:PORT FILE");
        return ExitCode::FAILURE;
    };
    match run(secret, address, file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(secret: &str, address: &str, file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let database = SqlitePool::connect_with(options).await?;
    for sql in [
        "CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS turnover (account TEXT PRIMARY KEY, entries INTEGER NOT NULL)",
    ] {
        sqlx::query(sql).execute(&database).await?;
    }
    let receiver = Arc::new(Receiver { webhook: Webhook::new(secret)?, database });
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, Router::new().fallback(receive).with_state(receiver)).await?;
    Ok(())
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // Signature and age: a message that was listened to and is sent again by somebody else is refused.
    if receiver.webhook.verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    match take(&receiver.database, &event).await {
        Ok(new) => {
            println!("{} {} {}", if new { "new " } else { "seen" }, event["type"], event["id"]);
            StatusCode::OK
        }
        // Not a 2xx, so it comes again.
        Err(error) => {
            eprintln!("{error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Takes an event in; false if it was here before.
async fn take(database: &SqlitePool, event: &Value) -> Result<bool, sqlx::Error> {
    let mut tx = database.begin().await?;
    let new = sqlx::query("INSERT OR IGNORE INTO seen (id) VALUES (?)")
        .bind(event["id"].as_str())
        .execute(&mut *tx)
        .await?
        .rows_affected()
        == 1;
    if new {
        for entry in event["data"]["entries"].as_array().into_iter().flatten() {
            sqlx::query("INSERT INTO turnover VALUES (?, 1) ON CONFLICT (account) DO UPDATE SET entries = entries + 1")
                .bind(entry["account_id"].as_str())
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(new)
}
