//! `PATCH /api/v1/accounts/{id}/limits`: how far below zero an account may go.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::Command;
use ledger::refusal::{Code, Refusal};
use serde::Deserialize;
use utoipa::ToSchema;

use super::changed;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyOptional, Problems, VersionRequired};
use crate::http::headers::{ExpectedVersion, IdempotencyKey};
use crate::http::json::Raw;
use crate::http::path::AccountPath;
use crate::http::problem::Problem;
use crate::http::submit::{note, submit};
use crate::http::wire::{Account, Amount, Clean};
use crate::identity::Action;

/// New limits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct LimitsBody<'a> {
    /// How far below zero the available balance may be used; zero or more, not below what is in use.
    #[serde(borrow)]
    #[schema(example = "500.00")]
    overdraft_limit: Amount<'a>,
    /// Kept in the event, at most 512 bytes.
    reason: Option<Clean<'a>>,
}

/// Change an account's limits
///
/// Made on the version that you saw, and on no other.
#[utoipa::path(
    patch, path = "/{id}/limits", tag = "accounts",
    params(
        ("id" = String, Path, description = "The account", example = "101"), KeyOptional, VersionRequired,
    ),
    request_body(content = LimitsBody, example = json!({"overdraft_limit": "500.00"})),
    responses(
        (status = 200, description = "Done; the account as it stands, its version in ETag", body = Account),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(in crate::http) async fn limits(
    State(app): State<Arc<App>>,
    caller: Caller,
    AccountPath(id): AccountPath,
    key: Option<IdempotencyKey>,
    ExpectedVersion(version): ExpectedVersion,
    body: Raw,
) -> Result<Response, Problem> {
    let body: LimitsBody = body.parse()?;
    caller.may_on(Action::ChangeLimits, app.account_ref(id))?;
    let Some(facts) = app.facts(id) else {
        return Err(Problem::refused(&Refusal::new(Code::UnknownAccount).on(id), false));
    };
    let limit = body.overdraft_limit.or_zero("overdraft_limit", facts.currency)?;
    let command = Command::ChangeAccount {
        account: id,
        status: None,
        overdraft_limit: Some(limit),
        expected_version: Some(version),
    };
    let mut request = caller.request(command);
    request.note = note(None, body.reason.as_ref());
    let (_, replayed) = submit(&app, &caller, key.as_ref(), request).await?;
    changed(&app, id, replayed).await
}
