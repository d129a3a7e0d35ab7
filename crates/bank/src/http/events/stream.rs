//! `GET /api/v1/events/stream`: events as they become durable, as server-sent events.
//!
//! The next stretch is read only when the one before went out, so a slow reader costs its own connection and
//! one stretch of memory, however far behind it is; the journal itself is the queue.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use ledger::Sequence;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep};
use utoipa::IntoParams;

use super::{Bounds, Kinds, Stretch, after, beyond, shown};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::running::STREAMS_MAX;
use crate::http::wire::{SequenceText, digits};
use crate::identity::{Action, Object};
use crate::sequencer::Fault;
use crate::store::Watch;

/// What is read in one go: some hundred kilobytes at most.
const STRETCH: Bounds = Bounds { events: 64, entries: 512, visits: 10_000 };

/// A stream without events says so often that it is alive, and how far it has looked.
const BEAT: Duration = Duration::from_secs(15);

/// How often a waiting stream looks whether its key is still good.
const LOOK: Duration = Duration::from_secs(1);

/// From where on, and which.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Since {
    /// Events after this sequence; from now on if left out. The header Last-Event-ID goes before.
    #[param(value_type = Option<String>, example = "0")]
    after: Option<SequenceText>,
    /// Only these kinds, with commas between them.
    #[param(example = "posted,refused")]
    kinds: Option<String>,
}

/// Stream events
///
/// Server-sent events: `id` is the sequence, `event` the kind, `data` the event as in the list. After a lost
/// connection go on with the header Last-Event-ID. The stream ends when its key is revoked or expires.
#[utoipa::path(
    get, path = "/stream", tag = "events",
    params(Since, ("Last-Event-ID" = Option<String>, Header, description = "The newest sequence that you have", example = "123")),
    responses((status = 200, description = "The stream", body = String, content_type = "text/event-stream"), Problems),
    security(("api_key" = []))
)]
pub(super) async fn stream(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Query(since): Query<Since>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadEvents, Object::Bank)?;
    let kinds = Kinds::parse(since.kinds.as_deref())?;
    let head = app.service.books.reads().head().sequence;
    let at = match headers.get("last-event-id") {
        Some(value) => value.to_str().ok().and_then(digits).map(Sequence).ok_or_else(|| {
            Problem::malformed("Last-Event-ID is the sequence of an event, a decimal number.")
        })?,
        None => since.after.map_or(head, |SequenceText(sequence)| sequence),
    };
    if at > head {
        return Err(beyond(head));
    }
    let place = app.stream_place().ok_or_else(too_many)?;
    let reader = Reader {
        watch: app.service.books.reads().watch(),
        stopping: app.stopping(),
        app,
        caller,
        kinds,
        at,
        begun: false,
        spoke: Instant::now(),
        ended: false,
        _place: place,
    };
    let body = Body::from_stream(unfold(reader, |mut reader| async {
        let bytes = reader.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), reader))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, body).into_response())
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "too_many_streams",
        "Too many streams",
        format!("{STREAMS_MAX} streams are open already."),
        "Close one that you do not need, or read GET /api/v1/events instead.",
    )
    .retry_after(Some(10))
}

/// One reader of the stream and how far it is.
struct Reader {
    app: Arc<App>,
    caller: Caller,
    kinds: Kinds,
    at: Sequence,
    watch: Watch,
    stopping: watch::Receiver<bool>,
    begun: bool,
    spoke: Instant,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// What goes out next; none at the end. Called when what came before is on its way.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if !self.begun {
            self.begun = true;
            return Some(self.say("retry: 2000\n\n".to_owned()));
        }
        loop {
            if self.over() {
                return None;
            }
            if self.watch.borrow_and_update().gt(&self.at.0) {
                match self.stretch().await {
                    Ok(Some(text)) => return Some(self.say(text)),
                    Ok(None) => continue,
                    Err(fault) => return Some(self.fail(fault)),
                }
            }
            if self.spoke.elapsed() >= BEAT {
                // An id without data is no event, but the reader goes on from there after a lost connection.
                return Some(self.say(format!("id: {}\n\n", self.at)));
            }
            tokio::select! {
                changed = self.watch.changed() => if changed.is_err() { return None },
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                () = sleep(LOOK) => {}
            }
        }
    }

    /// The key is dead, or the service stops.
    fn over(&self) -> bool {
        let credential = &self.caller.credential;
        credential.is_revoked() || credential.is_expired(self.app.now()) || *self.stopping.borrow()
    }

    async fn stretch(&mut self) -> Result<Option<String>, Fault> {
        let (at, kinds) = (self.at, self.kinds.clone());
        let found = self.app.read(move |reads| after(reads, at, &kinds, &STRETCH)).await?;
        let Stretch { events, through } = found;
        let mut text = String::new();
        for event in shown(&self.app, &events).await? {
            let data = serde_json::to_string(&event).unwrap_or_default();
            text.push_str(&format!("id: {}\nevent: {}\ndata: {data}\n\n", event.sequence, event.kind));
        }
        self.at = through;
        // A revoked key hears nothing more, not even what was read while it was being revoked.
        Ok((!text.is_empty() && !self.over()).then_some(text))
    }

    fn say(&mut self, text: String) -> Bytes {
        self.spoke = Instant::now();
        text.into()
    }

    /// Tells why the stream ends; the reader comes back by itself and goes on.
    fn fail(&mut self, fault: Fault) -> Bytes {
        self.ended = true;
        let problem = Problem::from(fault);
        let data = serde_json::to_string(&problem).unwrap_or_default();
        format!("event: problem\ndata: {data}\n\n").into()
    }
}
