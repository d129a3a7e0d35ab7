//! `DELETE /api/v1/webhooks/{id}`: removes an endpoint for good.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::id;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::outbox::refused;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Delete a webhook
///
/// With its secrets, its dead letters and its log. Nothing is sent to it when this answers.
#[utoipa::path(
    delete, path = "/{id}", tag = "webhooks", params(("id" = String, Path, description = "Its id")),
    responses((status = 204, description = "Gone"), Problems),
    security(("api_key" = []))
)]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(text): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let outbox = &app.service.outbox;
    outbox.delete_webhook(id(&text)?, &caller.as_actor(), app.now()).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
