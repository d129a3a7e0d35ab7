//! `GET /api/v1/webhooks/{id}`: an endpoint and how it does.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::id;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::outbox::{Shown, refused};
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Read a webhook
///
/// With how far it is: how many events it is behind, and how old the oldest of them is.
#[utoipa::path(
    get, path = "/{id}", tag = "webhooks", params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The webhook", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(text): Path<String>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ReadOutbox, Object::Bank)?;
    let standing = app.service.outbox.read(id(&text)?).await.map_err(refused)?;
    Ok(Json(Shown::of(standing, app.now())))
}
