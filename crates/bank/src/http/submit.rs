//! From a command to an answer: the way of every endpoint that changes the books.

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{Command, Digest, Event, Note, Request};
use serde::Serialize;

use super::app::App;
use super::caller::Caller;
use super::headers::IdempotencyKey;
use super::problem::Problem;
use super::wire::{Clean, Transaction};
use crate::books::Decided;
use crate::service::anchor;

/// Submits a request under its key and answers with the event, or with the problem.
pub(super) async fn submit(
    app: &App,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    request: Request,
) -> Result<(Event, bool), Problem> {
    accepted(decide(app, caller, key, request).await?)
}

/// Submits a request under its key.
pub(super) async fn decide(
    app: &App,
    caller: &Caller,
    key: Option<&IdempotencyKey>,
    request: Request,
) -> Result<Decided, Problem> {
    // Even without a key the fingerprint is part of the event.
    let claim = key.map_or(Digest::NONE, |key| caller.claim(&key.0));
    let mut request = request.with_key(claim);
    start_clock(&mut request, app.now());
    anchor(&app.service.database, &mut request).await;
    Ok(app.service.books.submit(request).await?)
}

/// A hold's life as asked for, "so long from now", while its request is being made.
///
/// It is what the fingerprint covers: a retry comes later than the first try and is the same intent.
pub(super) fn life(micros: i64) -> i64 {
    debug_assert!(micros > 0);
    -micros
}

/// Turns the life of a hold into its end, once the fingerprint is taken.
pub(super) fn start_clock(request: &mut Request, now: i64) {
    if let Command::Hold { expires_at: Some(at), .. } = &mut request.command
        && *at < 0
    {
        *at = now.saturating_sub(*at);
    }
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

/// 201 with a posted transaction.
pub(super) fn posted((event, replayed): (Event, bool), caller: &Caller) -> Result<Response, Problem> {
    // Two kinds of command never have one fingerprint, so a key's event is of the kind that was asked for.
    let transaction = Transaction::of(&event, caller).ok_or_else(Problem::key_reused)?;
    Ok(created(&format!("/api/v1/transactions/{}", event.sequence), &transaction, replayed))
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

/// Names an account's version in the ETag.
pub(super) fn tag(response: &mut Response, version: u64) {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
}

/// Marks a replay.
pub(super) fn mark(response: &mut Response, replayed: bool) {
    if replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
}

/// A note with reference and description, if either is there. An empty text says nothing and counts as absent.
pub(super) fn note(reference: Option<&Clean<'_>>, description: Option<&Clean<'_>>) -> Option<Arc<Note>> {
    let said =
        |text: Option<&Clean<'_>>| text.filter(|text| !text.0.is_empty()).map(|text| Box::from(&*text.0));
    let (reference, description) = (said(reference), said(description));
    if reference.is_none() && description.is_none() {
        return None;
    }
    Some(Arc::new(Note { reference, description, ..Note::default() }))
}
