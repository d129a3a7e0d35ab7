//! `GET /api/v1/rails`: the ways to other institutions.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::identity::{Action, Object};

/// All rails.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Rails {
    /// By name.
    items: Vec<Shown>,
}

/// List rails
///
/// With what each carries, its limits and its cut-off.
#[utoipa::path(
    get, path = "", tag = "rails",
    responses((status = 200, description = "All rails", body = Rails), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Rails>, Problem> {
    caller.may(Action::ReadRails, Object::Bank)?;
    let manages = caller.may(Action::ManageRails, Object::Bank).is_ok();
    let rails = app.service.payments.rails().await.map_err(database_failed)?;
    Ok(Json(Rails { items: rails.iter().map(|rail| Shown::of(rail, manages)).collect() }))
}
