//! Webhooks: an HTTP POST for each event, signed after Standard Webhooks.
//!
//! Only a 2xx is a delivery. A redirect is none: it would lead past the checks of the address. 410 says that
//! nobody will ever want more. The answer is read as far as an excerpt of it is kept.

pub mod address;
pub mod signature;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};

use super::{Attempt, Capacity, Outcome, Sink};
use crate::outbox::message::Message;
use crate::sequencer::{Clock as _, SystemClock};
use address::{AllowList, Door, Looking};
use signature::{SigningSecret, signatures};

/// How long an endpoint may take to accept the connection.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long an endpoint may take to answer.
pub const ANSWER_TIME: Duration = Duration::from_secs(15);

/// Bytes of an answer that are kept for people.
pub const EXCERPT_BYTES: usize = 1_024;

/// Bytes of an answer that are read, so that the connection can be used again; a longer one closes it.
const ANSWER_BYTES: usize = 16 << 10;

/// One event a request.
const CAPACITY: Capacity = Capacity { parcels: 64, events: 1 };

/// One endpoint.
pub struct Webhook {
    client: Client,
    url: Url,
    allowed: AllowList,
    secrets: Vec<(SigningSecret, Option<i64>)>,
}

impl Webhook {
    /// The endpoint at `url`, with the secrets that sign for it and the time at which each stops to, microseconds
    /// since 1970.
    ///
    /// # Errors
    /// If the machine gives no certificates to trust.
    pub fn new(
        url: Url,
        allowed: &AllowList,
        secrets: Vec<(SigningSecret, Option<i64>)>,
    ) -> Result<Webhook, reqwest::Error> {
        // reqwest takes the process's provider; if one is installed already it is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("bankcore/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            .timeout(ANSWER_TIME)
            .pool_max_idle_per_host(CAPACITY.parcels)
            .dns_resolver(Looking(Door::of(&url, allowed)))
            .build()?;
        Ok(Webhook { client, url, allowed: allowed.clone(), secrets })
    }
}

impl Sink for Webhook {
    fn capacity(&self) -> Capacity {
        CAPACITY
    }

    fn deliver(&self, parcel: Vec<Arc<Message>>) -> BoxFuture<'static, Vec<Attempt>> {
        join_all(parcel.iter().map(|message| self.post(message)).collect::<Vec<_>>()).boxed()
    }
}

impl Webhook {
    /// Sends one event.
    fn post(&self, message: &Message) -> impl Future<Output = Attempt> + Send + use<> {
        let now_us = SystemClock::new().wall();
        let timestamp = now_us / 1_000_000;
        let live = |(secret, end): &(SigningSecret, Option<i64>)| {
            end.is_none_or(|end| now_us < end).then(|| secret.clone())
        };
        let secrets: Vec<SigningSecret> = self.secrets.iter().filter_map(live).collect();
        let request = headers(message, timestamp, &secrets).map(|headers| {
            self.client.post(self.url.clone()).headers(headers).body(message.body.clone()).send()
        });
        let (url, allowed) = (self.url.clone(), self.allowed.clone());
        async move {
            let began = Instant::now();
            let failed = |detail: String| Attempt {
                outcome: Outcome::Failed(None),
                status: None,
                detail,
                took: began.elapsed(),
            };
            // An address in the URL is never looked up, so nothing else looks at it.
            if url.domain().is_none()
                && let Err(error) = address::check(&url, &allowed).await
            {
                return failed(error.to_string());
            }
            let Some(request) = request else { return failed("the event's id is no header".into()) };
            match request.await {
                Ok(response) => answered(response, began).await,
                Err(error) => failed(why(&error)),
            }
        }
    }
}

fn headers(message: &Message, timestamp: i64, secrets: &[SigningSecret]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let signature = signatures(secrets, &message.id, timestamp, &message.body);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json; charset=utf-8"));
    headers.insert("webhook-id", HeaderValue::from_str(&message.id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}

async fn answered(mut response: Response, began: Instant) -> Attempt {
    let status = response.status();
    let outcome = match status {
        status if status.is_success() => Outcome::Delivered,
        StatusCode::GONE => Outcome::Gone,
        _ => Outcome::Failed(retry_after(response.headers())),
    };
    let mut excerpt = Vec::new();
    let mut read = 0;
    // What the answer says is for people; whether it ends well makes no difference to the delivery.
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        let room = EXCERPT_BYTES.saturating_sub(excerpt.len());
        excerpt.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if read > ANSWER_BYTES {
            break;
        }
    }
    Attempt { outcome, status: Some(status.as_u16()), detail: printable(&excerpt), took: began.elapsed() }
}

/// Seconds only: a date would be compared with a clock that is not ours.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Somebody else's text, as it may stand in a list or a terminal.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// The error and what lies behind it; its URL is known already.
fn why(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut text = if error.is_connect() { "no connection" } else { "the request broke off" }.to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text.chars().take(EXCERPT_BYTES).collect()
}
