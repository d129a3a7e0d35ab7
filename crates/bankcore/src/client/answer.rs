//! An answer: a document, or a problem.

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes};
use hyper::{Response, StatusCode};
use serde_json::Value;

/// No answer to a command is longer.
const BYTES_MAX: usize = 64 << 20;

/// An answer as it came.
pub struct Answer {
    status: StatusCode,
    bytes: Bytes,
}

impl Answer {
    pub(super) async fn read<B>(response: Response<B>) -> anyhow::Result<Answer>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let status = response.status();
        let read = Limited::new(response.into_body(), BYTES_MAX).collect().await;
        let bytes = read.map_err(|error| anyhow::anyhow!(error)).context("the answer broke off")?.to_bytes();
        Ok(Answer { status, bytes })
    }

    /// The document; a problem as an error in one line.
    pub(super) fn into_body(self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            if self.bytes.is_empty() {
                return Ok(Value::Null);
            }
            return serde_json::from_slice(&self.bytes)
                .context("the answer is not JSON; is the server newer?");
        }
        let problem: Value = serde_json::from_slice(&self.bytes).unwrap_or_default();
        let part = |name: &str| problem.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if part("code").is_empty() {
            bail!("the server answered {}; is it another version?", self.status);
        }
        bail!("{} {} ({})", part("detail"), part("remedy"), part("code"))
    }
}
