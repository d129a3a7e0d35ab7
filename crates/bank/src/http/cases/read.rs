//! `GET /api/v1/cases/{id}`: a case with its history.

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

/// Read a case
///
/// With its evidence and all that was done about it.
#[utoipa::path(
    get, path = "/{id}", tag = "cases",
    params(("id" = String, Path, description = "The case", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    responses((status = 200, description = "The case as it stands", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ReadCases, Object::Bank)?;
    shown(&app, &id).await.map(Json)
}

pub(super) async fn shown(app: &App, id: &str) -> Result<Shown, Problem> {
    let case = find(app, id).await?;
    let history = app.service.payments.case_history(case.id).await.map_err(database_failed)?;
    let mut shown = Shown::of(case, app.now());
    shown.history = Some(history.into_iter().map(Into::into).collect());
    Ok(shown)
}
