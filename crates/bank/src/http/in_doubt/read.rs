//! `GET /api/v1/in-doubt/{id}`: a promise with its timeline.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::find;
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Read a promise
///
/// In any state, with all that happened to it.
#[utoipa::path(
    get, path = "/{id}", tag = "in_doubt",
    params(("id" = String, Path, description = "The promise", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    responses((status = 200, description = "The promise as it stands", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ReadPromises, Object::Bank)?;
    shown(&app, &id).await.map(Json)
}

pub(super) async fn shown(app: &App, id: &str) -> Result<Shown, Problem> {
    let promise = find(app, id).await?;
    let timeline = app.service.payments.promise_timeline(promise.id).await.map_err(database_failed)?;
    let mut shown = Shown::of(promise, app.now());
    shown.timeline = Some(timeline.into_iter().map(Into::into).collect());
    Ok(shown)
}
