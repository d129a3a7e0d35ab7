//! `GET /api/v1/in-doubt`: promises, oldest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::identity::{Action, Object};
use crate::payments::two_phase::participant;

/// Which promises, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// preparing, prepared, refused, committing, committed, aborting, aborted or all; prepared if left out: those in
    /// doubt.
    #[param(example = "prepared")]
    state: Option<String>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List promises in doubt
///
/// What this bank has prepared for others and waits for their decision, with its age and its money.
#[utoipa::path(
    get, path = "", tag = "in_doubt", params(Which),
    responses((status = 200, description = "A page of promises", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadPromises, Object::Bank)?;
    let state = match which.state.as_deref() {
        None => Some(participant::State::Prepared),
        Some("all") => None,
        Some(name) => Some(participant::State::named(name).ok_or_else(|| {
            let names = participant::State::ALL.map(participant::State::name).join(", ");
            Problem::malformed(format!("state is one of {names}, or all."))
        })?),
    };
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let after = paging.from.unwrap_or(0).cast_signed();
    let found = app.service.payments.promises(state, after, paging.limit + 1).await;
    let mut found = found.map_err(database_failed)?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let next = found.last().filter(|_| more).map(|last| last.number.cast_unsigned());
    let now = app.now();
    Ok(paging.answer(found.into_iter().map(|promise| Shown::of(promise, now)).collect(), next))
}
