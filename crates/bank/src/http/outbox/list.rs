//! `GET /api/v1/outbox`: all subscriptions and how far they are.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::{Shown, refused};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::identity::{Action, Object};

/// List subscriptions
///
/// Webhooks and the operator's own sinks, with how far each is. There are at most 64, so the list is one page.
#[utoipa::path(
    get, path = "", tag = "outbox",
    responses((status = 200, description = "The subscriptions", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Page<Shown>>, Problem> {
    caller.may(Action::ReadOutbox, Object::Bank)?;
    let list = app.service.outbox.list().await.map_err(refused)?;
    let items = list.into_iter().map(|standing| Shown::of(standing, app.now())).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
