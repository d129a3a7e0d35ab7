//! `GET /api/v1/webhooks`: all endpoints, oldest first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::outbox::{Shown, refused};
use crate::http::page::Page;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::identity::{Action, Object};

/// List webhooks
///
/// Disabled ones included, none of them with its secret. There are at most 64, so the list is one page.
#[utoipa::path(
    get, path = "", tag = "webhooks",
    responses((status = 200, description = "The webhooks", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Page<Shown>>, Problem> {
    caller.may(Action::ReadOutbox, Object::Bank)?;
    let list = app.service.outbox.list().await.map_err(refused)?;
    let webhooks = list.into_iter().filter(crate::outbox::Standing::is_webhook);
    let items = webhooks.map(|standing| Shown::of(standing, app.now())).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
