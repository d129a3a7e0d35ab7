//! `POST /api/v1/cases/{id}/resolve`: a person decides.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::find;
use super::read::shown;
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::json::Raw;
use crate::http::payments::failed;
use crate::http::problem::Problem;
use crate::http::wire::Clean;
use crate::identity::{Action, Object};
use crate::payments::desk::Decision;
use crate::payments::saga::Resolution;

/// What was decided, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ResolveBody<'a> {
    /// resume: go on asking. cancel: have it cancelled at the rail. paid, not_paid: it is known from elsewhere what
    /// the rail did. suspend: do not try to give it back any more. close: nothing is left to do.
    #[serde(borrow)]
    #[schema(example = "resume")]
    resolution: Clean<'a>,
    /// Why, for ever.
    #[schema(example = "The rail is back; ticket 4711")]
    reason: Clean<'a>,
}

/// Resolve a case
///
/// The decision and its reason stay in the case's history, the payment's timeline and the audit trail. If the rail
/// later says something else, that is a case of its own.
#[utoipa::path(
    post, path = "/{id}/resolve", tag = "cases",
    params(("id" = String, Path, description = "The case", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    request_body(content = ResolveBody, example = json!({"resolution": "resume", "reason": "The rail is back"})),
    responses((status = 200, description = "The case as it stands now", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Raw,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ResolveCase, Object::Bank)?;
    let body: ResolveBody = body.parse()?;
    let reason = body.reason.0.trim();
    if reason.is_empty() {
        return Err(Problem::malformed("reason says why, for those who come later."));
    }
    let case = find(&app, &id).await?;
    if case.resolved.is_some() {
        return Err(resolved());
    }
    let (payments, by) = (&app.service.payments, caller.as_actor());
    if body.resolution.0 == "close" {
        // A payment that waits for a person would wait for ever.
        if let Some(payment) = case.payment
            && payments
                .payment(payment)
                .await
                .map_err(crate::http::keys::database_failed)?
                .is_some_and(|p| p.saga.held)
            && case.kind.ends_with_the_hold()
        {
            return Err(not_possible("The payment waits for a decision.", "Choose one that makes it go on."));
        }
        if !payments.close_case(case.id, &by, reason).await.map_err(failed)? {
            return Err(resolved());
        }
        return shown(&app, &id).await.map(Json);
    }
    let known = Resolution::ALL.into_iter().find(|known| known.name() == body.resolution.0);
    let resolution = known.ok_or_else(|| {
        Problem::malformed("resolution is resume, cancel, paid, not_paid, suspend or close.")
    })?;
    let Some(payment) = case.payment else {
        return Err(not_possible("The case is not about a payment of ours.", "Use close."));
    };
    let decision = payments.decide(case.id, payment, resolution, &by, reason).await.map_err(failed)?;
    match decision {
        Some(Decision::Done(_)) => shown(&app, &id).await.map(Json),
        Some(Decision::NotNow(payment)) => {
            let state = payment.saga.state.name();
            let remedy = "Look at the payment's timeline and choose what its state allows, or close.";
            Err(not_possible(&format!("The payment is {state}."), remedy).with("state", state))
        }
        None => Err(not_possible("The payment cannot be found.", "Use close.")),
    }
}

fn resolved() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "case_resolved",
        "Resolved already",
        "Somebody resolved this case already.",
        "Read the case: its history says who, and why.",
    )
}

fn not_possible(detail: &str, remedy: &str) -> Problem {
    let title = "Not possible here";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "resolution_not_possible", title, detail, remedy)
}
