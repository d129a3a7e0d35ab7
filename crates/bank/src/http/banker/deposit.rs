//! `POST /api/v1/banker/deposits`: cash in.

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

/// Take cash in
///
/// Debits the drawer, credits the customer: the bank has more cash and owes the customer more.
#[utoipa::path(
    post, path = "/deposits", tag = "banker", params(KeyRequired),
    request_body(content = CashBody, example = json!({
        "account_id": "101", "amount": "10000.00", "currency": "BDT", "description": "Cash over the counter",
        "reference": "DEP-1"})),
    responses(
        (status = 201, description = "Posted; the header Location names it", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn deposit(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: CashBody = body.parse()?;
    let request = body.request(Direction::In, &Making::new(&app, &caller))?;
    posted(submit(&app, &caller, Some(&key), request).await?, &caller)
}
