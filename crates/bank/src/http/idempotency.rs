//! `GET /api/v1/idempotency/{key}`: what became of a request, asked by its key.
//!
//! The way out of an unknown outcome. The question goes through the sequencer, behind every request that was
//! sent before it, so its "not decided" cannot be overtaken by one that is already waiting.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ledger::event::NameKind;
use ledger::{Body, Digest, Event};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::caller::Caller;
use super::documented::Problems;
use super::headers::IdempotencyKey;
use super::problem::Problem;
use super::query::Query;
use super::wire::{self, Account, Hold, Transaction};
use super::{accounts, keys, payments};
use crate::identity::{Action, Object};
use crate::sequencer::Fault;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(outcome))
}

/// Whose key.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Whose {
    /// Another principal's key; for administrators, operations and auditors.
    #[param(example = "customer:alice")]
    principal: Option<String>,
}

/// What became of the request with a key.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Outcome {
    /// The key.
    #[schema(example = "6f0c8a")]
    key: String,
    /// posted, refused, hold_placed, hold_voided, account_opened, account_changed, day_opened, day_closed, or
    /// batch_posted for an atomic batch; payment for a payment to another institution.
    #[schema(example = "posted")]
    status: &'static str,
    /// The event that decided it. A payment has one once it is funded, or refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "5f0c…-1-123")]
    event_id: Option<String>,
    /// When it was decided.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    decided_at: String,
    /// The transaction, as it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Transaction>,
    /// The hold, as this request left it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
    /// The account, as it stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    /// The payment, as it stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<payments::Shown>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
    /// What became of each command of an atomic batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<Member>>,
}

/// What became of one command of an atomic batch.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OutcomeOfCommand)]
pub(in crate::http) struct Member {
    /// 201 for what was made, 200 for a hold that was given up.
    status: u16,
    /// The transaction, as it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Transaction>,
    /// The hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
}

/// Ask for an outcome by key
///
/// After a lost answer. 404 `key_not_decided` never means that the request failed: send it again with its key.
#[utoipa::path(
    get, path = "/{key}", tag = "idempotency",
    params(("key" = String, Path, description = "The idempotency key, percent-encoded", example = "6f0c8a"), Whose),
    responses((status = 200, description = "What became of it", body = Outcome), Problems),
    security(("api_key" = []))
)]
pub(super) async fn outcome(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: Result<Path<String>, PathRejection>,
    Query(whose): Query<Whose>,
) -> Result<Json<Outcome>, Problem> {
    let Path(key) = key.map_err(|_| Problem::malformed("The key in the path is not UTF-8."))?;
    let key = IdempotencyKey::new(&key)?.0;
    let name = whose.principal.as_deref().unwrap_or(&caller.credential.principal);
    caller.may(Action::ReadKey, Object::Principal(name))?;
    let principal = match &whose.principal {
        None => Some(caller.principal),
        Some(name) => app.service.books.name(NameKind::Principal, name).await?,
    };
    let principal = principal.ok_or_else(|| not_decided(&key))?;
    let claimed = app.service.books.claim(Digest::of_key(principal, &key)).await?;
    let Some(claimed) = claimed else { return payment(&app, &caller, name, &key).await.map(Json) };
    let event = app.service.books.reads().event(claimed.sequence)?;
    let event = event
        .ok_or_else(|| Fault::Unreadable(format!("event {} is claimed but not there", claimed.sequence)))?;
    told(&app, &caller, &key, &event).await.map(Json)
}

async fn told(app: &App, caller: &Caller, key: &str, event: &Event) -> Result<Outcome, Problem> {
    let mut outcome = Outcome {
        key: key.to_owned(),
        status: "posted",
        event_id: Some(wire::event_id(app.service.identity, event.sequence)),
        decided_at: wire::time(event.time),
        transaction: Transaction::of(event, caller),
        hold: None,
        account: None,
        payment: None,
        problem: None,
        results: None,
    };
    outcome.status = match &event.body {
        Body::Posted { .. } => "posted",
        Body::Refused(refusal) => {
            outcome.problem = Some(Problem::refused(refusal, false));
            "refused"
        }
        Body::HoldPlaced { .. } | Body::HoldEnded { .. } => {
            outcome.hold = hold(app, event)?;
            if matches!(event.body, Body::HoldPlaced { .. }) { "hold_placed" } else { "hold_voided" }
        }
        Body::AccountOpened(_) | Body::AccountChanged { .. } => {
            if let Some(id) = event.subject().filter(|id| caller.sees(*id)) {
                outcome.account = Some(accounts::load(app, caller, id).await?);
            }
            if matches!(event.body, Body::AccountOpened(_)) { "account_opened" } else { "account_changed" }
        }
        Body::DayOpened { .. } => "day_opened",
        Body::DayClosed { .. } => "day_closed",
        Body::Group { .. } => {
            outcome.results = Some(members(app, caller, event).await?);
            "batch_posted"
        }
        Body::BankOpened { .. } | Body::Named { .. } => "decided",
    };
    Ok(outcome)
}

/// The payment that was made under a key, if one was.
async fn payment(app: &App, caller: &Caller, principal: &str, key: &str) -> Result<Outcome, Problem> {
    let found = app.service.payments.payment_by_key(principal, key).await;
    let payment = found.map_err(keys::database_failed)?.ok_or_else(|| not_decided(key))?;
    caller.may_on(Action::ReadPayment, app.account_ref(payment.account)).map_err(|_| not_decided(key))?;
    let event = payment.transactions.funding.or(payment.refusal);
    Ok(Outcome {
        key: key.to_owned(),
        status: "payment",
        event_id: event.map(|sequence| wire::event_id(app.service.identity, sequence)),
        decided_at: wire::time(payment.created_at),
        transaction: None,
        hold: None,
        account: None,
        payment: Some(payments::Shown::of(&payment, app.now())),
        problem: None,
        results: None,
    })
}

async fn members(app: &App, caller: &Caller, header: &Event) -> Result<Vec<Member>, Problem> {
    let books = app.service.books.clone();
    let header = header.clone();
    let events = app.read(move |_| books.members(&header)).await?;
    let each = events.iter().map(|event| {
        let status = if matches!(event.body, Body::HoldEnded { .. }) { 200 } else { 201 };
        Ok(Member { status, transaction: Transaction::of(event, caller), hold: hold(app, event)? })
    });
    each.collect()
}

/// The hold that an event placed or gave up.
fn hold(app: &App, event: &Event) -> Result<Option<Hold>, Fault> {
    match &event.body {
        Body::HoldPlaced { .. } => Ok(Hold::of(event, None)),
        Body::HoldEnded { hold, .. } => {
            let placed = app.service.books.reads().event(*hold)?;
            Ok(placed.and_then(|placed| Hold::of(&placed, Some(event))))
        }
        _ => Ok(None),
    }
}

fn not_decided(key: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "key_not_decided",
        "Not decided",
        format!(
            "No request with the key \"{key}\" has been decided. This does not say that one failed: it may \
             still be on its way."
        ),
        "Send the same request with the same key: it counts once, however often it is sent.",
    )
}
