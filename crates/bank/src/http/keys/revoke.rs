//! `DELETE /api/v1/keys/{id-or-prefix}`: ends an API key for good.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::refused;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::problem::Problem;
use crate::identity::{Action, KeyRef, Object};

/// Revoke an API key
///
/// It is dead when this answers, and so are its streams within seconds. Revoking again changes nothing.
#[utoipa::path(
    delete, path = "/{key}", tag = "keys",
    params(("key" = String, Path, description = "Its id, or its prefix", example = "7k2m9x4q")),
    responses((status = 204, description = "Dead"), Problems),
    security(("api_key" = []))
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(key): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManageKeys, Object::Bank)?;
    let named = match key.parse() {
        Ok(id) => KeyRef::Id(id),
        Err(_) => KeyRef::Prefix(key),
    };
    app.service.keys.revoke_key(&named, &caller.as_actor(), app.now()).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
