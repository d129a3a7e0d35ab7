//! `GET /api/v1/transactions/{id}`: a transaction and how much of it still stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::status::standing;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::http::query::{Nothing, Query};
use crate::http::wire::Transaction;
use crate::identity::{Action, Object};

/// Read a transaction
///
/// Its status is posted, partially_reversed or reversed. Seen by whoever may see one of its accounts.
#[utoipa::path(
    get, path = "/{id}", tag = "transactions",
    params(("id" = String, Path, description = "The transaction", example = "123")),
    responses((status = 200, description = "The transaction", body = Transaction), Problems),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Transaction>, Problem> {
    let event = app.service.books.reads().event(id)?.filter(|event| event.transaction().is_some());
    let accounts: Vec<u64> = event.iter().flat_map(|event| event.posted()).map(|one| one.account.0).collect();
    // Somebody without any of its accounts hears the same as if it were not there.
    caller.may(Action::ReadTransaction, Object::Transaction(&accounts))?;
    let unknown = || Problem::not_found("There is no such thing, or it is not yours.");
    let event = event.ok_or_else(unknown)?;
    let shown = standing(&app, &caller, &[event]).await?;
    shown.into_iter().next().map(Json).ok_or_else(unknown)
}
