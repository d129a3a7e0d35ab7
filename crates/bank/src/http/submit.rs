//! From a command to an answer: the way of every endpoint that changes the books.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{Event, Note, Request};
use serde::Serialize;

use super::app::App;
use super::caller::Caller;
use super::headers::IdempotencyKey;
use super::problem::Problem;
use crate::books::Decided;

/// Submits a request under its key and answers with the event, or with the problem.
pub(super) async fn submit(
    app: &App,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    mut request: Request,
) -> Result<(Event, bool), Problem> {
    // Even without a key the fingerprint is part of the event.
    let claim = key.map_or(ledger::Digest::NONE, |key| caller.claim(&key.0));
    request = request.with_key(claim);
    accepted(app.service.books.submit(request).await?)
}

/// The event of an accepted request, or the problem of any other.
pub(super) fn accepted(decided: Decided) -> Result<(Event, bool), Problem> {
    match decided {
        Decided::Accepted { event, replayed } => Ok((event, replayed)),
        Decided::Refused { refusal, replayed, .. } => Err(Problem::refused(&refusal, replayed)),
        Decided::KeyReused { .. } => Err(Problem::key_reused()),
        Decided::Throttled(wait) => Err(Problem::refusals_throttled(wait)),
    }
}

/// 201 with the place of what was made; a replay says so.
pub(super) fn created<T: Serialize>(location: &str, body: &T, replayed: bool) -> Response {
    let mut response = (StatusCode::CREATED, Json(body)).into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    mark(&mut response, replayed);
    response
}

/// Marks a replay.
pub(super) fn mark(response: &mut Response, replayed: bool) {
    if replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
}

/// A note with reference and description, if either is there.
pub(super) fn note(reference: Option<String>, description: Option<String>) -> Option<Arc<Note>> {
    if reference.is_none() && description.is_none() {
        return None;
    }
    let boxed = |text: Option<String>| text.map(String::into_boxed_str);
    Some(Arc::new(Note { reference: boxed(reference), description: boxed(description), ..Note::default() }))
}
