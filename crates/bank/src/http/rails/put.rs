//! `PUT /api/v1/rails/{rail}`: makes a rail, or changes it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};

use super::body::RailBody;
use super::find;
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::json::Raw;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::http::submit::created;
use crate::identity::{Action, Object};
use crate::payments::rail::settings;

/// Make or change a rail
///
/// Payments under way keep the accounts that they began with. Keys are added on their own.
#[utoipa::path(
    put, path = "/{rail}", tag = "rails",
    params(("rail" = String, Path, description = "Its name: 1 to 32 characters out of a-z 0-9 -", example = "partner")),
    request_body(content = RailBody, example = json!({
        "url": "https://rail.example/bankcore", "iban_required": true, "opens": "06:00", "cut_off": "17:00",
        "currencies": [{"currency": "BDT", "amount_max": "1000000.00", "clearing_account_id": "12",
            "settlement_account_id": "13", "suspense_account_id": "5"}]})),
    responses(
        (status = 200, description = "Changed", body = Shown),
        (status = 201, description = "Made", body = Shown),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Raw,
) -> Result<Response, Problem> {
    caller.may(Action::ManageRails, Object::Bank)?;
    let body: RailBody = body.parse()?;
    let rail = body.rail(&app, &name).await?;
    let made = settings::put(&app.service.database, &rail, &caller.as_actor(), app.now()).await;
    let made = made.map_err(database_failed)?;
    let shown = Shown::of(&find(&app, &name).await?, true);
    if made {
        return Ok(created(&format!("/api/v1/rails/{name}"), &shown, false));
    }
    Ok(Json(shown).into_response())
}
