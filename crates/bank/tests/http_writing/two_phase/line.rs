//! A line to a bank that can be bad: questions of some kinds do not arrive, or their answers do not.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::Value;
use tower::ServiceExt as _;

/// How a kind of question fares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// It does not arrive.
    Cut,
    /// It arrives, and the answer is lost.
    Deaf,
}

#[derive(Default)]
struct Told {
    bad: HashMap<&'static str, Bad>,
    heard: Vec<Value>,
}

type Shared = (Arc<Mutex<Told>>, Router, &'static str);

pub struct Line {
    url: String,
    told: Arc<Mutex<Told>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Line {
    /// To the rail of this name at a bank.
    pub async fn to(bank: Router, rail: &'static str) -> Line {
        let told = Arc::<Mutex<Told>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/line", listener.local_addr().unwrap());
        let shared: Shared = (Arc::clone(&told), bank, rail);
        let router = Router::new().route("/line", post(pass)).with_state(shared);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Line { url, told, server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on these questions fare so.
    pub fn be_bad(&self, operations: &[&'static str], bad: Bad) {
        self.told.lock().bad.extend(operations.iter().map(|operation| (*operation, bad)));
    }

    /// Everything passes again.
    pub fn be_good(&self) {
        self.told.lock().bad.clear();
    }

    /// The operations that were asked for, whether they arrived or not.
    pub fn heard(&self) -> Vec<String> {
        let told = self.told.lock();
        told.heard.iter().map(|question| question["operation"].as_str().unwrap().to_owned()).collect()
    }
}

async fn pass(State((told, bank, rail)): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let question: Value = serde_json::from_slice(&body).unwrap();
    let bad = {
        let mut told = told.lock();
        told.heard.push(question.clone());
        told.bad.get(question["operation"].as_str().unwrap()).copied()
    };
    if bad == Some(Bad::Cut) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut request =
        axum::http::Request::builder().method("POST").uri(format!("/api/v1/rails/{rail}/questions"));
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    let answer = bank.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    if bad == Some(Bad::Deaf) { StatusCode::GATEWAY_TIMEOUT.into_response() } else { answer }
}
