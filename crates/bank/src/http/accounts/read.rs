//! `GET /api/v1/accounts/{id}`: an account as it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::load;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::path::AccountPath;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::http::submit::tag;
use crate::http::wire::Account;

/// Read an account
///
/// As it stands. The header ETag is its version; send it as If-Match with a change.
#[utoipa::path(
    get, path = "/{id}", tag = "accounts",
    params(("id" = String, Path, description = "The account", example = "101")),
    responses(
        (status = 200, description = "The account", body = Account, headers(("ETag" = String, description = "The version"))),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    AccountPath(id): AccountPath,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Response, Problem> {
    let account = load(&app, &caller, id).await?;
    let mut response = Json(&account).into_response();
    tag(&mut response, account.version);
    Ok(response)
}
