//! `GET /api/v1/keys`: all API keys, oldest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::database_failed;
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
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

/// List API keys
///
/// Revoked and expired ones included, none of them with its secret.
#[utoipa::path(
    get, path = "", tag = "keys", params(Which),
    responses((status = 200, description = "A page of keys", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ListKeys, Object::Bank)?;
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let keys = app.service.keys.list_keys().await.map_err(database_failed)?;
    // Keys are never deleted and only added at the end, so a count is a place.
    let from = usize::try_from(paging.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let end = from.saturating_add(paging.limit);
    let next = (keys.len() > end).then_some(end as u64);
    let now = app.now();
    let items = keys.into_iter().skip(from).take(paging.limit).map(|key| Shown::of(key, now)).collect();
    Ok(paging.answer::<Shown>(items, next))
}
