//! What becomes of a message: it is made a request, and the answer says what to do with it.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tower::ServiceExt as _;

use super::MESSAGE_BYTES_MAX;

/// What is to be done with a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It counted, now or before: acknowledge it.
    Done,
    /// It will never count: to the dead letters.
    Dead {
        /// The stable code.
        code: String,
        /// In words.
        detail: String,
    },
    /// Not now: let it come again.
    Later(String),
}

/// Decides messages.
#[derive(Clone)]
pub struct Desk {
    router: Router,
}

/// What a message asks for: one of these.
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message<'a> {
    /// Money between two accounts of this bank.
    #[serde(borrow)]
    Transfer(&'a RawValue),
    /// Money to another institution.
    #[serde(borrow)]
    Payment(&'a RawValue),
}

impl<'a> Message<'a> {
    /// The endpoint that decides it, and what it is given.
    fn request(&self) -> (&'static str, &'a RawValue) {
        match self {
            Message::Transfer(body) => ("/api/v1/transactions/transfer", body),
            Message::Payment(body) => ("/api/v1/payments", body),
        }
    }
}

impl Desk {
    /// Over the router of `http::queue_router`.
    #[must_use]
    pub fn new(router: Router) -> Desk {
        Desk { router }
    }

    /// Has a message decided; `id` is what the broker knows it by.
    pub async fn decide(&self, id: Option<&str>, body: &[u8]) -> Verdict {
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return dead("message_id_missing", "A message has an id, under which it counts once.");
        };
        if body.len() > MESSAGE_BYTES_MAX {
            return dead("body_too_large", "A message has at most 65536 bytes.");
        }
        let message: Message<'_> = match serde_json::from_slice(body) {
            Ok(message) => message,
            Err(error) => {
                return dead("malformed_request", &format!("The message is not as it should be: {error}."));
            }
        };
        let (path, body) = message.request();
        let request = Request::post(path)
            .header("idempotency-key", id)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.get().to_owned()));
        match request {
            Ok(request) => self.ask(request).await,
            Err(_) => {
                dead("idempotency_key_malformed", "The id of a message has 1 to 255 printable characters.")
            }
        }
    }

    async fn ask(&self, request: Request<Body>) -> Verdict {
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        if status.is_success() {
            return Verdict::Done;
        }
        let bytes = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let problem: Map<String, Value> = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let later = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::CONFLICT,
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::INTERNAL_SERVER_ERROR,
            StatusCode::SERVICE_UNAVAILABLE,
        ];
        if later.contains(&status) {
            return Verdict::Later(text("detail"));
        }
        Verdict::Dead { code: text("code"), detail: text("detail") }
    }
}

fn dead(code: &str, detail: &str) -> Verdict {
    Verdict::Dead { code: code.to_owned(), detail: detail.to_owned() }
}
