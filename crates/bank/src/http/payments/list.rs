//! `GET /api/v1/payments`: payments, by state and age.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ledger::AccountId;
use serde::Deserialize;
use utoipa::IntoParams;

use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::identity::{Action, Object, Role};
use crate::payments::payment::Filter;
use crate::payments::saga;

/// Which payments, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// In this state.
    #[param(example = "unknown")]
    state: Option<String>,
    /// Asked for more than so many seconds ago.
    #[param(example = 3600)]
    older_than: Option<u32>,
    /// true: those that wait for a person; false: the others.
    held: Option<bool>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List payments
///
/// Oldest first. A customer sees those of the own accounts.
#[utoipa::path(
    get, path = "", tag = "payments", params(Which),
    responses((status = 200, description = "A page of payments", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ListPayments, Object::Bank)?;
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let now = app.now();
    let state = match which.state.as_deref() {
        None => None,
        Some(name) => Some(saga::State::named(name).ok_or_else(|| {
            let names = saga::State::ALL.map(saga::State::name).join(", ");
            Problem::malformed(format!("state is one of {names}."))
        })?),
    };
    let own = || caller.credential.accounts.iter().copied().map(AccountId).collect();
    let filter = Filter {
        state,
        created_before: which.older_than.map(|seconds| now - i64::from(seconds) * 1_000_000),
        accounts: (caller.credential.role == Role::Customer).then(own),
        held: which.held,
    };
    let after = paging.from.unwrap_or(0).cast_signed();
    let found = app.service.payments.payments(&filter, after, paging.limit + 1).await;
    let mut found = found.map_err(database_failed)?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let next = found.last().filter(|_| more).map(|last| last.number.cast_unsigned());
    Ok(paging.answer(found.iter().map(|payment| Shown::of(payment, now)).collect(), next))
}
