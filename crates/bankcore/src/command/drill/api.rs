//! The service as its users reach it: over HTTP, and with the knowledge whether an answer came at all.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use reqwest::{Client, Method, Url};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// How long an answer may take; on a machine that has other things to do.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// The way to a service.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    base: Url,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// It was answered before, under the same key.
    pub(super) replayed: bool,
    pub(super) body: Value,
}

/// Who asks, and under which intent.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    /// The API key.
    pub(super) key: &'a str,
    /// The idempotency key, for what moves money.
    pub(super) intent: Option<&'a str>,
}

impl<'a> By<'a> {
    /// Without an intent.
    pub(super) fn key(key: &'a str) -> By<'a> {
        By { key, intent: None }
    }

    /// For an intent.
    pub(super) fn intent(key: &'a str, intent: &'a str) -> By<'a> {
        By { key, intent: Some(intent) }
    }
}

impl Answer {
    /// A field of the answer as text; empty if it is not there.
    pub(super) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    /// It was done.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What was refused, in one line.
    pub(super) fn problem(&self) -> String {
        format!("{} {}: {}", self.status, self.text("code"), self.text("detail"))
    }

    /// The document.
    ///
    /// # Errors
    /// The problem, if it was not done.
    pub(super) fn done(self) -> anyhow::Result<Value> {
        ensure!(self.is_success(), "{} {}", self.problem(), self.text("remedy"));
        Ok(self.body)
    }
}

impl Api {
    /// The way to the service at this address.
    ///
    /// # Errors
    /// If it is no address, or the system gives no TLS.
    pub(super) fn new(base: &str) -> anyhow::Result<Api> {
        let named = || format!("{base} is no address; say for instance http://127.0.0.1:8400");
        let base = Url::parse(base).with_context(named)?;
        ensure!(matches!(base.scheme(), "http" | "https") && base.has_host(), named());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().timeout(ANSWER_TIME).build()?;
        Ok(Api { client, base })
    }

    /// Where it is.
    pub(super) fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Whether connections to it can be cut by hand.
    pub(super) fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// Whether it runs on this machine, as far as its address says so.
    pub(super) fn is_near(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }

    /// Reads.
    pub(super) async fn get(&self, path: &str, by: By<'_>) -> anyhow::Result<Answer> {
        self.ask(Method::GET, path, by, None).await
    }

    /// Does something.
    pub(super) async fn post(&self, path: &str, by: By<'_>, body: &Value) -> anyhow::Result<Answer> {
        self.ask(Method::POST, path, by, Some(body)).await
    }

    /// Puts something in its place.
    pub(super) async fn put(&self, path: &str, by: By<'_>, body: &Value) -> anyhow::Result<Answer> {
        self.ask(Method::PUT, path, by, Some(body)).await
    }

    /// Removes something.
    pub(super) async fn delete(&self, path: &str, by: By<'_>) -> anyhow::Result<Answer> {
        self.ask(Method::DELETE, path, by, None).await
    }

    /// An error is an outcome that is not known: no answer came, or half of one.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        by: By<'_>,
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let mut request =
            self.client.request(method, format!("{}{path}", self.address())).bearer_auth(by.key);
        if let Some(intent) = by.intent {
            request = request.header("Idempotency-Key", intent);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let unheard = || format!("no answer from {}", self.address());
        let response = request.send().await.with_context(unheard)?;
        let status = response.status().as_u16();
        let replayed =
            response.headers().get("idempotent-replayed").is_some_and(|value| value.as_bytes() == b"true");
        let bytes = response.bytes().await.with_context(unheard)?;
        let body = match bytes.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&bytes).with_context(|| {
                format!("{} answered {status} without JSON; is it bankcore?", self.address())
            })?,
        };
        Ok(Answer { status, replayed, body })
    }

    /// Sends a request, waits until its answer is on its way, and hangs up without having read any of it.
    ///
    /// # Errors
    /// If it was not answered.
    pub(super) async fn hang_up(&self, path: &str, by: By<'_>, body: &Value) -> anyhow::Result<()> {
        let (host, port) = (self.base.host_str().unwrap_or_default(), self.base.port_or_known_default());
        let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port.unwrap_or(80))).await?;
        let (key, intent, body) = (by.key, by.intent.unwrap_or_default(), body.to_string());
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nIdempotency-Key: {intent}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let begun = tokio::time::timeout(ANSWER_TIME, stream.peek(&mut [0])).await;
        match begun.context("no answer was on its way")?? {
            0 => bail!("the service hung up first"),
            _ => Ok(()),
        }
    }
}
