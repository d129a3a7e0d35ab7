//! A request to be made.

use anyhow::Context as _;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use serde_json::Value;

/// A request to be made.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    key: Option<String>,
    body: Option<Value>,
}

/// What to say when it is not known whether a request was done.
pub(super) struct Retry {
    changes: bool,
    key: Option<String>,
}

/// A key that nobody else has used: what is asked for on the command line is a new intent each time.
#[must_use]
pub fn fresh_key() -> String {
    format!("cli-{:032x}", rand::random::<u128>())
}

impl Call {
    /// Reads.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Call {
        Call { method: Method::GET, path: path.into(), query: Vec::new(), key: None, body: None }
    }

    /// Does something.
    #[must_use]
    pub fn post(path: impl Into<String>, body: Value) -> Call {
        Call { method: Method::POST, body: Some(body), ..Call::get(path) }
    }

    /// Puts something in its place.
    #[must_use]
    pub fn put(path: impl Into<String>, body: Value) -> Call {
        Call { method: Method::PUT, ..Call::post(path, body) }
    }

    /// Removes something.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Call {
        Call { method: Method::DELETE, ..Call::get(path) }
    }

    /// Under an idempotency key; a fresh one if none is given.
    #[must_use]
    pub fn keyed(mut self, key: Option<&String>) -> Call {
        self.key = Some(key.cloned().unwrap_or_else(fresh_key));
        self
    }

    /// With a parameter in the query, if it is given.
    #[must_use]
    pub fn query(mut self, name: &'static str, value: Option<&String>) -> Call {
        self.query.extend(value.map(|value| (name, value.clone())));
        self
    }

    pub(super) fn into_request(self) -> anyhow::Result<(Request<Full<Bytes>>, Retry)> {
        let mut target = self.path;
        for (index, (name, value)) in self.query.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            target.push_str(&format!("{sign}{name}={}", encoded(value)));
        }
        let retry = Retry { changes: self.method != Method::GET, key: self.key.clone() };
        let mut request =
            Request::builder().method(self.method).uri(&target).header(header::HOST, "bankcore");
        if let Some(key) = &self.key {
            request = request.header("Idempotency-Key", key);
        }
        let body = match self.body {
            None => Full::default(),
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Full::from(serde_json::to_vec(&body)?)
            }
        };
        let request =
            request.body(body).with_context(|| format!("{target} cannot be asked for; check the ids"))?;
        Ok((request, retry))
    }
}

impl Retry {
    /// The error with what it means for what was asked.
    pub(super) fn explain(self, error: anyhow::Error) -> anyhow::Error {
        match (self.changes, self.key) {
            (false, _) => error,
            (true, Some(key)) => error.context(format!(
                "it is not known whether this was done; say it again with --idempotency-key {key}, which does it once"
            )),
            (true, None) => error.context("it is not known whether this was done; look, then say it again"),
        }
    }
}

/// A segment of a path: an id or a word from the command line, whatever was typed.
#[must_use]
pub fn segment(text: &str) -> String {
    encoded(text)
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_stays_one_parameter() {
        let call = Call::get(format!("/api/v1/accounts/{}", segment("1/../2?x")))
            .query("owner", Some(&"a b&c=ä".to_owned()))
            .query("type", None)
            .query("limit", Some(&"5".to_owned()));
        let (request, _) = call.into_request().unwrap();
        assert_eq!(request.uri(), "/api/v1/accounts/1%2F..%2F2%3Fx?owner=a%20b%26c%3D%C3%A4&limit=5");
    }

    #[test]
    fn a_command_without_a_key_gets_one_of_its_own() {
        let key = |call: Call| {
            let (request, _) = call.into_request().unwrap();
            request.headers()["idempotency-key"].to_str().unwrap().to_owned()
        };
        let call = || Call::post("/x", Value::Null);
        assert_ne!(key(call().keyed(None)), key(call().keyed(None)));
        assert_eq!(key(call().keyed(Some(&"mine".to_owned()))), "mine");
    }
}
