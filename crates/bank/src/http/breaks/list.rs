//! `GET /api/v1/balance-breaks`: what was found, oldest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::identity::{Action, Object};

/// Which findings.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// Open or closed ones only; both if left out.
    #[param(inline)]
    state: Option<Standing>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// Whether somebody is done with a finding.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Standing {
    Open,
    Closed,
}

/// List balance breaks
///
/// Balances in the tables of a database that their entries did not explain: edited by hand, or damaged. The account of
/// a customer is frozen by then. Empty where the books are in a journal.
#[utoipa::path(
    get, path = "", tag = "operations", params(Which),
    responses((status = 200, description = "A page of findings", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list_breaks(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadBreaks, Object::Bank)?;
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let Some(breaks) = app.service.books.reads().breaks() else {
        return Ok(paging.answer::<Shown>(Vec::new(), None));
    };
    let open = which.state.map(|state| state == Standing::Open);
    let mut found = breaks.list(open, paging.from.unwrap_or(0), paging.limit + 1).await?;
    let next = found.get(paging.limit).map(|first| first.id);
    found.truncate(paging.limit);
    let items = found.into_iter().map(|found| Shown::of(&app, found)).collect::<Result<Vec<_>, _>>()?;
    Ok(paging.answer(items, next))
}
