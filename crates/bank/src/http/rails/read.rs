//! `GET /api/v1/rails/{rail}`: one rail.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::find;
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Read a rail
///
/// How it is run is shown to those who may manage rails; its secrets are shown to nobody.
#[utoipa::path(
    get, path = "/{rail}", tag = "rails",
    params(("rail" = String, Path, description = "Its name", example = "partner")),
    responses((status = 200, description = "The rail", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ReadRails, Object::Bank)?;
    let manages = caller.may(Action::ManageRails, Object::Bank).is_ok();
    Ok(Json(Shown::of(&find(&app, &name).await?, manages)))
}
