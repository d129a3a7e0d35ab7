//! `GET /api/v1/business-day`, `POST …/open` and `…/close`: the accounting day on which transactions are booked.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ledger::{Command, Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyOptional, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Body;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::http::submit::{mark, submit};
use crate::http::wire::{date, parse_date};
use crate::identity::{Action, Object};

/// Which business day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct DayBody {
    /// The day.
    #[schema(example = "2026-11-22")]
    date: String,
}

/// The business day.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct BusinessDay {
    /// The day that is open; null if none is.
    #[schema(example = "2026-11-22")]
    open: Option<String>,
    /// The newest day that was ever opened.
    #[schema(example = "2026-11-22")]
    newest: Option<String>,
}

/// Read the business day
///
/// The open one, on which transactions are booked, and the newest one.
#[utoipa::path(
    get, path = "", tag = "operations",
    responses((status = 200, description = "The business day", body = BusinessDay), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<BusinessDay>, Problem> {
    standing(&app).await.map(Json)
}

/// Open a business day
///
/// A later one than all before, while none is open.
#[utoipa::path(
    post, path = "/open", tag = "operations", params(KeyOptional), request_body = DayBody,
    responses((status = 200, description = "Opened", body = BusinessDay), Problems),
    security(("api_key" = []))
)]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Body(body): Body<DayBody>,
) -> Result<Response, Problem> {
    change(&app, &caller, Action::OpenDay, key, &body, |date| Command::OpenDay { date }).await
}

/// Close the business day
///
/// Until the next one is opened, nothing is posted.
#[utoipa::path(
    post, path = "/close", tag = "operations", params(KeyOptional), request_body = DayBody,
    responses((status = 200, description = "Closed", body = BusinessDay), Problems),
    security(("api_key" = []))
)]
pub(super) async fn close(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    Body(body): Body<DayBody>,
) -> Result<Response, Problem> {
    change(&app, &caller, Action::CloseDay, key, &body, |date| Command::CloseDay { date }).await
}

async fn change(
    app: &App,
    caller: &Caller,
    action: Action,
    key: Option<IdempotencyKey>,
    body: &DayBody,
    command: impl FnOnce(Date) -> Command,
) -> Result<Response, Problem> {
    caller.may(action, Object::Bank)?;
    let request = caller.request(command(parse_date("date", &body.date)?));
    let (_, replayed) = submit(app, caller, key.as_ref(), request).await?;
    let mut response = Json(standing(app).await?).into_response();
    mark(&mut response, replayed);
    Ok(response)
}

async fn standing(app: &App) -> Result<BusinessDay, Problem> {
    let day = app.service.books.day().await?;
    Ok(BusinessDay { open: day.open.map(date), newest: day.newest.map(date) })
}
