//! A rail over HTTP: one signed question, one signed answer.
//!
//! What is not a whole, signed answer about the reference that was asked for is nothing: a status other than 200, a
//! body that is no reply, a signature that is wrong. None of these says whether the payment was made.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::breaker::{Breaker, Budget};
use super::settings::RailSettings;
use super::signature::{Key, Signed, sign};
use super::wire::{Question, Reply, Status};
use super::{Heard, Order, Rail};
use crate::sequencer::{Clock as _, SystemClock};

/// No answer of a rail is longer, bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What came of a question.
pub(in crate::payments) enum Asked<R> {
    /// This.
    Answered(R),
    /// Nothing that can be believed; why.
    Nothing(String),
    /// Nobody was asked; as [`Heard::NotAsked`].
    Later {
        /// Not before this moment, µs.
        until: i64,
        /// Nothing of the rail is to be asked before.
        everything: bool,
    },
}

/// A rail that is asked over HTTP.
pub struct HttpRail {
    client: reqwest::Client,
    url: String,
    /// The one that signs stands first.
    keys: Vec<Key>,
    timeout: Duration,
    gate: Mutex<(Breaker, Budget)>,
}

impl HttpRail {
    /// As configured.
    ///
    /// # Errors
    /// If the system gives no TLS or no resolver.
    pub fn new(settings: &RailSettings) -> Result<HttpRail, String> {
        // reqwest chooses no provider by itself; if one is installed already it is this one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::from_micros(settings.timeout_us.unsigned_abs());
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .connect_timeout(timeout)
            // An answer from another place is an answer of another institution.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let (keys, url) = (settings.keys.clone(), settings.url.clone());
        Ok(HttpRail { client, url, keys, timeout, gate: Mutex::default() })
    }

    async fn ask(&self, question: Question, again: bool) -> Heard {
        let about = |reply: &Reply| reply.reference == question.reference();
        match self.question(&question, again, about).await {
            Asked::Answered(reply) => {
                let to_cancel = matches!(question, Question::Cancel { .. });
                if reply.status == Status::CancelDenied && !to_cancel {
                    return Heard::Nothing("it denies a cancel that nobody asked for".into());
                }
                Heard::Said(reply.said())
            }
            Asked::Nothing(why) => Heard::Nothing(why),
            Asked::Later { until, everything } => Heard::NotAsked { until, everything },
        }
    }

    /// Asks a question of any protocol that is signed like this one; `about` says whether an answer is about what was
    /// asked for, `again` that it repeats a question that was not answered.
    pub(in crate::payments) async fn question<Q: Serialize, R: DeserializeOwned>(
        &self,
        question: &Q,
        again: bool,
        about: impl Fn(&R) -> bool,
    ) -> Asked<R> {
        let Some(key) = self.keys.first() else { return Asked::Nothing("the rail has no key".into()) };
        let now = now();
        {
            let (breaker, budget) = &mut *self.gate.lock();
            if let Err(until) = breaker.admit(now) {
                return Asked::Later { until, everything: true };
            }
            if let Err(until) = budget.take(again, now) {
                return Asked::Later { until, everything: false };
            }
        }
        // A time-out of the client covers the body too; this one covers what the client may not.
        let asked = tokio::time::timeout(self.timeout * 2, self.exchange(key, question, about)).await;
        let heard = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (breaker, _) = &mut *self.gate.lock();
        match heard {
            Ok(reply) => {
                breaker.answered();
                Asked::Answered(reply)
            }
            Err(why) => {
                breaker.failed(self::now());
                Asked::Nothing(why)
            }
        }
    }

    async fn exchange<Q: Serialize, R: DeserializeOwned>(
        &self,
        key: &Key,
        question: &Q,
        about: impl Fn(&R) -> bool,
    ) -> Result<R, String> {
        let body = serde_json::to_vec(question).map_err(|error| error.to_string())?;
        let id = format!("msg_{}", Uuid::new_v4().simple());
        let signed = sign(key, &id, now(), &body);
        let mut request = self.client.post(&self.url).header("content-type", "application/json").body(body);
        for (name, value) in signed.headers() {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|error| plain(&error))?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            return Err(format!("it answered {}", status.as_u16()));
        }
        let headers = response.headers().clone();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| plain(&error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()));
        let answer = answer.map_err(|why| why.to_string())?;
        answer.verify(&self.keys, now(), &bytes).map_err(|why| why.to_string())?;
        if answer.id != id {
            return Err(super::signature::Forged::OtherRequest.to_string());
        }
        let reply: R =
            serde_json::from_slice(&bytes).map_err(|error| format!("its answer is no reply: {error}"))?;
        if !about(&reply) {
            return Err("its answer is about another payment".into());
        }
        Ok(reply)
    }
}

impl Rail for HttpRail {
    fn submit<'a>(&'a self, order: &'a Order, again: bool) -> BoxFuture<'a, Heard> {
        self.ask(Question::submit(order), again).boxed()
    }

    fn enquire<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Heard> {
        // Enquiries have their own growing intervals; the budget is for what is done again.
        self.ask(Question::Enquire { reference: reference.to_owned() }, false).boxed()
    }

    fn cancel<'a>(&'a self, reference: &'a str, again: bool) -> BoxFuture<'a, Heard> {
        self.ask(Question::Cancel { reference: reference.to_owned() }, again).boxed()
    }
}

/// What went wrong, without the address: that is for the log.
fn plain(error: &reqwest::Error) -> String {
    tracing::debug!(%error, "a rail was not reached");
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke"
    };
    what.to_owned()
}

fn now() -> i64 {
    SystemClock::new().wall()
}
