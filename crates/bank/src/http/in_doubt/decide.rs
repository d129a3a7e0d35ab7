//! `POST /api/v1/in-doubt/{id}/decide`: an operator decides in the coordinator's place.

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
use crate::payments::two_phase::Verdict;
use crate::payments::two_phase::asked::Decision;

/// What was decided, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DecideBody<'a> {
    /// commit: credit the beneficiary. abort: give the promise up.
    #[serde(borrow)]
    #[schema(example = "abort")]
    decision: Clean<'a>,
    /// Why, for ever.
    #[schema(example = "The other bank has shut down; its liquidator confirmed by letter, ticket 4711")]
    reason: Clean<'a>,
}

/// Decide about a promise in doubt
///
/// A heuristic decision: the coordinator has not said what it decided, and may have decided otherwise. If it did, no
/// money moves by it; both banks have a case. Decision, reason and person stay in the promise, its timeline and the
/// audit trail.
#[utoipa::path(
    post, path = "/{id}/decide", tag = "in_doubt",
    params(("id" = String, Path, description = "The promise", example = "019aa3f0-7c00-7abc-8def-0123456789ab")),
    request_body(content = DecideBody, example = json!({"decision": "abort", "reason": "Confirmed by letter"})),
    responses((status = 200, description = "The promise as it stands now", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    body: Raw,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::DecidePromise, Object::Bank)?;
    let body: DecideBody = body.parse()?;
    let verdict =
        Verdict::named(&body.decision.0).ok_or_else(|| Problem::malformed("decision is commit or abort."))?;
    let reason = body.reason.0.trim();
    if reason.is_empty() {
        return Err(Problem::malformed("reason says why, for those who come later."));
    }
    let promise = find(&app, &id).await?;
    let decided = app.service.payments.decide_promise(promise.id, verdict, &caller.as_actor(), reason).await;
    match decided.map_err(failed)? {
        Some(Decision::Done(_)) => shown(&app, &id).await.map(Json),
        Some(Decision::NotNow(promise)) => {
            let state = promise.keeping.state.name();
            let detail = format!("The promise is {state}.");
            let remedy = "Read the promise: its timeline says who decided, and when.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, "not_in_doubt", "Not in doubt", detail, remedy).with("state", state))
        }
        None => Err(Problem::not_found("There is no such promise, or its rail is gone.")),
    }
}
