//! `GET /api/v1/accounts/{id}/entries`: an account's history with its running balance.
//!
//! A place in it is a version of the account and a number of entries within that event, so a page is found
//! however deep it lies, and is the same one tomorrow.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ledger::{Account, AccountId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::view;
use crate::books::history::{self, From, Step};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::path::AccountPath;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::{self, AccountEntry};
use crate::identity::{AccountRef, Action};
use crate::sequencer::Fault;
use crate::store::Reads;

/// Stretches of history that one page looks at; then it ends with a cursor, however few entries it found.
const STRETCHES_MAX: usize = 8;

/// Which way.
#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http) enum Order {
    /// Newest first.
    #[default]
    Desc,
    /// Oldest first.
    Asc,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// desc for newest first, asc for oldest first.
    #[serde(default)]
    #[param(inline, required = false)]
    order: Order,
    /// From this booking date on.
    #[param(example = "2026-11-01")]
    from_date: Option<String>,
    /// Up to this booking date.
    #[param(example = "2026-11-30")]
    to_date: Option<String>,
    /// true for those whose value date is not their booking date, and no others.
    #[serde(default)]
    #[param(required = false)]
    late: bool,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List an account's entries
///
/// With the balance that each left; by booking date, or only those with another value date, if asked for.
#[utoipa::path(
    get, path = "/{id}/entries", tag = "accounts",
    params(("id" = String, Path, description = "The account", example = "101"), Filter),
    responses((status = 200, description = "A page of entries", body = Page<AccountEntry>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    AccountPath(id): AccountPath,
    uri: OriginalUri,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    caller.may_on(Action::ListTransactions, AccountRef::bank(id.0))?;
    let paging = Paging::new(&app, &caller, &uri, filter.limit, filter.cursor.as_deref())?;
    let day = |field: &str, text: &Option<String>| {
        text.as_deref().map(|text| wire::parse_date(field, text)).transpose()
    };
    let (first, last) = (day("from_date", &filter.from_date)?, day("to_date", &filter.to_date)?);
    let account = view(&app, &caller, id).await?.account;
    let (order, late, limit, from) = (filter.order, filter.late, paging.limit, paging.from);
    let found = app.read(move |reads| {
        let versions = history::versions(reads, id, &account, first, last)?;
        let here = History { reads, id, account: &account, versions, order, late };
        here.page(limit, from)
    });
    let (items, next) = found.await?;
    Ok(paging.answer(items, next))
}

struct History<'a> {
    reads: &'a dyn Reads,
    id: AccountId,
    account: &'a Account,
    versions: RangeInclusive<u64>,
    order: Order,
    late: bool,
}

impl History<'_> {
    /// Entries from a place on, and the next place; none at the end.
    fn page(&self, limit: usize, from: Option<u64>) -> Result<(Vec<AccountEntry>, Option<u64>), Fault> {
        let edge = match self.order {
            Order::Desc => *self.versions.end(),
            Order::Asc => *self.versions.start(),
        };
        let (mut version, shown) = from.map_or((edge, 0), |place| (place >> 8, (place & 0xff) as usize));
        let begun = version;
        let mut items = Vec::new();
        for _ in 0..STRETCHES_MAX {
            let way = match self.order {
                Order::Desc => From::Down(version),
                Order::Asc => From::Up(version),
            };
            let wanted = |step: &Step| match self.late {
                true => step.is_late(),
                false => step.posted().next().is_some(),
            };
            let missing = limit - items.len();
            let page =
                history::page(self.reads, self.id, self.account, way, &self.versions, missing, wanted)?;
            for step in &page.steps {
                let skip = if step.entry.version == begun { shown } else { 0 };
                for (index, item) in self.items(step).into_iter().enumerate().skip(skip) {
                    if items.len() == limit {
                        return Ok((items, Some(step.entry.version << 8 | index as u64)));
                    }
                    items.push(item);
                }
            }
            let Some(From::Down(next) | From::Up(next)) = page.next else { return Ok((items, None)) };
            version = next;
            if items.len() == limit {
                break;
            }
        }
        Ok((items, Some(version << 8)))
    }

    fn items(&self, step: &Step) -> Vec<AccountEntry> {
        let mut items: Vec<_> = step.posted().filter_map(|entry| AccountEntry::of(step, entry)).collect();
        if self.order == Order::Desc {
            items.reverse();
        }
        items
    }
}
