//! `POST /api/v1/payments/{id}/cancel`: has a payment cancelled.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::refused::failed;
use super::shown::Shown;
use super::{find, unknown};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::json::Raw;
use crate::http::problem::Problem;
use crate::http::wire::Clean;
use crate::identity::Action;
use crate::payments::desk::Decision;

/// Why it is to be cancelled.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CancelBody<'a> {
    /// For the timeline.
    #[serde(borrow)]
    #[schema(example = "Sent to the wrong person")]
    reason: Option<Clean<'a>>,
}

/// Cancel a payment
///
/// At once if the rail does not have it yet; else the rail is asked (`cancel_requested`), and the money comes back
/// once it has confirmed. Asking again changes nothing.
#[utoipa::path(
    post, path = "/{id}/cancel", tag = "payments",
    params(("id" = String, Path, description = "The payment", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    request_body(content = CancelBody, example = json!({"reason": "Sent to the wrong person"})),
    responses((status = 200, description = "The payment as it stands now", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Raw,
) -> Result<Json<Shown>, Problem> {
    let payment = find(&app, &caller, &id, Action::CancelPayment).await?;
    let body: CancelBody = body.parse_or_default()?;
    let reason = body.reason.as_ref().map(|reason| &*reason.0);
    let decision =
        app.service.payments.cancel(payment.id, &caller.as_actor(), reason).await.map_err(failed)?;
    match decision.ok_or_else(unknown)? {
        Decision::Done(payment) => Ok(Json(Shown::of(&payment, app.now()))),
        Decision::NotNow(payment) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "payment_not_cancellable",
            "Too late to cancel",
            format!("The payment is {}.", payment.saga.state.name()),
            "Ask the beneficiary to pay it back.",
        )
        .with("state", payment.saga.state.name())),
    }
}
