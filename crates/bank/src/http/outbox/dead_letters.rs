//! `GET /api/v1/outbox/{id}/dead-letters`: events that a subscriber would not take.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::response::Response;
use ledger::Sequence;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::refused;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::webhooks::id;
use crate::http::wire::{event_id, time};
use crate::identity::{Action, Object};

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// An event that was given up.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct DeadLetter {
    /// The event's id.
    event_id: String,
    /// Its sequence.
    #[schema(example = "123")]
    sequence: String,
    /// How often it was tried.
    attempts: u32,
    /// When it was given up.
    given_up_at: String,
    /// What came of the last try.
    why: String,
}

/// List dead letters
///
/// Events that were tried for days and given up, in order. Those after them in their lanes went on without them.
#[utoipa::path(
    get, path = "/{id}/dead-letters", tag = "outbox",
    params(("id" = String, Path, description = "The subscription's id"), Which),
    responses((status = 200, description = "A page of dead letters", body = Page<DeadLetter>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn dead_letters(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Path(text): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadOutbox, Object::Bank)?;
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let after = paging.from.unwrap_or(0);
    let found = app.service.outbox.dead_letters(id(&text)?, after, paging.limit + 1).await;
    let mut found = found.map_err(refused)?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let next = found.last().filter(|_| more).map(|last| last.sequence);
    let identity = app.service.identity;
    let shown = found.into_iter().map(|letter| DeadLetter {
        event_id: event_id(identity, Sequence(letter.sequence)),
        sequence: letter.sequence.to_string(),
        attempts: letter.attempts,
        given_up_at: time(letter.at_us),
        why: letter.why,
    });
    Ok(paging.answer(shown.collect(), next))
}
