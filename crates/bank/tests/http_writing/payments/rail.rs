//! A rail on loopback that says what it is told to say: a queue of answers for each operation, then the last again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bank::payments::rail::signature::{Key, Signed, sign};
use parking_lot::Mutex;
use serde_json::{Value, json};

pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Says something of its own accord.
#[derive(Clone, Debug)]
pub enum Say {
    /// This status.
    Status(&'static str),
    /// Nothing: 503.
    Nothing,
    /// This status, signed by another key.
    Forged(&'static str),
    /// This status about another payment.
    OfAnother(&'static str),
}

type Script = Arc<Mutex<Told>>;

#[derive(Default)]
struct Told {
    script: HashMap<&'static str, VecDeque<Say>>,
    heard: Vec<Value>,
}

pub struct Rail {
    url: String,
    told: Script,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Rail {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub fn key() -> Key {
    Key::from_text("k1", SECRET).unwrap()
}

impl Rail {
    /// Settles whatever comes, unless it is told otherwise.
    pub async fn start() -> Rail {
        let told = Script::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/rail", listener.local_addr().unwrap());
        let router = Router::new().route("/rail", post(answer)).with_state(Arc::clone(&told));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let rail = Rail { url, told, server };
        rail.say("submit", &[Say::Status("settled")]);
        rail.say("enquire", &[Say::Status("settled")]);
        rail.say("cancel", &[Say::Status("cancelled")]);
        rail
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it says from now on, one after the other; the last one for ever.
    pub fn say(&self, operation: &'static str, answers: &[Say]) {
        self.told.lock().script.insert(operation, answers.iter().cloned().collect());
    }

    /// The questions that it was asked.
    pub fn heard(&self) -> Vec<Value> {
        self.told.lock().heard.clone()
    }
}

async fn answer(State(told): State<Script>, headers: HeaderMap, body: Bytes) -> Response {
    let signed = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok())).unwrap();
    let now = signed.timestamp * 1_000_000;
    signed.verify(&[key()], now, &body).expect("the bank signs what it asks");
    let question: Value = serde_json::from_slice(&body).unwrap();
    let say = {
        let mut told = told.lock();
        told.heard.push(question.clone());
        let queue = told.script.get_mut(question["operation"].as_str().unwrap()).unwrap();
        if queue.len() > 1 { queue.pop_front().unwrap() } else { queue[0].clone() }
    };
    let other = Key::new("k1", vec![9; 32]).unwrap();
    let reference = question["reference"].as_str().unwrap();
    let (status, key, reference) = match say {
        Say::Nothing => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Say::Status(status) => (status, key(), reference),
        Say::Forged(status) => (status, other, reference),
        Say::OfAnother(status) => (status, key(), "another"),
    };
    let reply =
        json!({"reference": reference, "status": status, "code": "T1", "reason": "as told"}).to_string();
    let mut response = Response::builder();
    for (name, value) in sign(&key, &signed.id, now, reply.as_bytes()).headers() {
        response = response.header(name, value);
    }
    response.body(Body::from(reply)).unwrap()
}
