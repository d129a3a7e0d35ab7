//! `GET /api/v1/events`: events, a page at a time.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ledger::Sequence;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Bounds, Kinds, after, beyond, shown};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Later, limit};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::{EventOut, SequenceText};
use crate::identity::{Action, Object};

/// Events that one page looks at.
const VISITS_MAX: usize = 10_000;

/// Entries on one page: it ends early rather than becoming megabytes.
const ENTRIES_MAX: usize = 8_192;

/// From where on, and which.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Since {
    /// Events after this sequence; from the first on if left out.
    #[param(value_type = Option<String>, example = "0")]
    after: Option<SequenceText>,
    /// Only these kinds, with commas between them.
    #[param(example = "posted,refused")]
    kinds: Option<String>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// List events
///
/// All that happened, oldest first. next_after is where to go on, also when there is nothing more yet.
#[utoipa::path(
    get, path = "", tag = "events", params(Since),
    responses((status = 200, description = "Events", body = Later<EventOut>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(since): Query<Since>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadEvents, Object::Bank)?;
    let bounds = Bounds { events: limit(since.limit)?, entries: ENTRIES_MAX, visits: VISITS_MAX };
    let kinds = Kinds::parse(since.kinds.as_deref())?;
    let begin = since.after.map_or(Sequence(0), |SequenceText(sequence)| sequence);
    let head = app.service.books.reads().head().sequence;
    if begin > head {
        return Err(beyond(head));
    }
    let found = app.read(move |reads| after(reads, begin, &kinds, &bounds)).await?;
    let items = shown(&app, &found.events).await?;
    let more = found.through < app.service.books.reads().head().sequence;
    Ok(Later { items, next_after: found.through.to_string() }.answer(&uri, more))
}
