//! `POST /api/v1/banker/withdrawals`: cash out.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::{CashBody, Direction};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::{posted, submit};
use crate::http::wire::Transaction;

/// Pay cash out
///
/// Debits the customer, credits the drawer. Refused unless the customer has the amount available.
#[utoipa::path(
    post, path = "/withdrawals", tag = "banker", params(KeyRequired),
    request_body(content = CashBody, example = json!({
        "account_id": "101", "amount": "10000.00", "currency": "BDT", "description": "Cash over the counter",
        "reference": "WD-1"})),
    responses(
        (status = 201, description = "Posted; the header Location names it", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: CashBody = body.parse()?;
    let request = body.request(Direction::Out, &Making::new(&app, &caller))?;
    posted(submit(&app, &caller, Some(&key), request).await?, &caller)
}
