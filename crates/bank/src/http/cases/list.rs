//! `GET /api/v1/cases`: cases, oldest first.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
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
use crate::identity::{Action, Object};

/// Which cases, and which page of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Which {
    /// open or resolved; all if left out.
    #[param(example = "open")]
    status: Option<String>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List cases
///
/// What no rule could resolve, with its age and the money at risk.
#[utoipa::path(
    get, path = "", tag = "cases", params(Which),
    responses((status = 200, description = "A page of cases", body = Page<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadCases, Object::Bank)?;
    let open = match which.status.as_deref() {
        None => None,
        Some("open") => Some(true),
        Some("resolved") => Some(false),
        Some(_) => return Err(Problem::malformed("status is open or resolved.")),
    };
    let paging = Paging::new(&app, &caller, &uri, which.limit, which.cursor.as_deref())?;
    let after = paging.from.unwrap_or(0).cast_signed();
    let found = app.service.payments.cases(open, after, paging.limit + 1).await;
    let mut found = found.map_err(database_failed)?;
    let more = found.len() > paging.limit;
    found.truncate(paging.limit);
    let next = found.last().filter(|_| more).map(|last| last.number.cast_unsigned());
    let now = app.now();
    Ok(paging.answer(found.into_iter().map(|case| Shown::of(case, now)).collect(), next))
}
