//! `DELETE /api/v1/rails/{rail}/keys/{key}`: retires a key of a rail.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::find;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};
use crate::payments::rail::settings;

/// Retire a key of a rail
///
/// Nothing that it signed is believed any more.
#[utoipa::path(
    delete, path = "/{rail}/keys/{key}", tag = "rails",
    params(
        ("rail" = String, Path, description = "The rail's name", example = "partner"),
        ("key" = String, Path, description = "The key's id", example = "2026-11"),
    ),
    responses((status = 204, description = "Retired"), Problems),
    security(("api_key" = []))
)]
pub(super) async fn retire_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, key)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManageRails, Object::Bank)?;
    find(&app, &name).await?;
    let retired =
        settings::retire_key(&app.service.database, &name, &key, &caller.as_actor(), app.now()).await;
    match retired.map_err(database_failed)? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found("The rail has no such live key.")),
    }
}
