//! `GET /api/v1/webhooks/{id}/deliveries`: the newest attempts.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::id;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::outbox::{Delivery, refused};
use crate::http::page::{Page, limit};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::identity::{Action, Object};

/// How many.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// List a webhook's deliveries
///
/// The newest attempts, newest first: the last 100 since the service started, and of those before the ones that
/// failed. One page; the events themselves are in the books.
#[utoipa::path(
    get, path = "/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path, description = "Its id"), Which),
    responses((status = 200, description = "The attempts", body = Page<Delivery>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn deliveries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
    Query(which): Query<Which>,
) -> Result<Json<Page<Delivery>>, Problem> {
    caller.may(Action::ReadOutbox, Object::Bank)?;
    let tried = app.service.outbox.deliveries(id(&text)?, limit(which.limit)?).await.map_err(refused)?;
    let items = tried.into_iter().map(|tried| Delivery::of(tried, app.service.identity)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
