//! `GET /api/v1/payments/{id}`: a payment with its timeline.

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
use crate::identity::Action;

/// Read a payment
///
/// As it stands, with all that happened to it: each state, when, by whom, the attempt and the reason.
#[utoipa::path(
    get, path = "/{id}", tag = "payments",
    params(("id" = String, Path, description = "The payment", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    responses((status = 200, description = "The payment as it stands", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let payment = find(&app, &caller, &id, Action::ReadPayment).await?;
    let timeline = app.service.payments.timeline(payment.id).await.map_err(database_failed)?;
    let mut shown = Shown::of(&payment, app.now());
    shown.timeline = Some(timeline.into_iter().map(Into::into).collect());
    Ok(Json(shown))
}
