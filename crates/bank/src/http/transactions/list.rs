//! `GET /api/v1/transactions`: transactions, newest first.
//!
//! Found in the shortest way that the filters allow: by reference, through an account's history, or backwards
//! through the journal. The last two look at a bounded number of events a page; the cursor goes on from there.

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ledger::{Account, AccountId, Date, Event, Sequence};
use serde::Deserialize;
use utoipa::IntoParams;

use super::filter::Filter;
use super::status::standing;
use crate::books::history::{self, From};
use crate::http::accounts;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::{AccountIdText, Transaction};
use crate::identity::{AccountRef, Action, Object, Role};
use crate::sequencer::Fault;
use crate::store::Reads;

/// Events of the journal that one page looks at.
const EVENTS_MAX: u64 = 10_000;

/// Events read in one go on the way back.
const STRETCH: u64 = 512;

/// Which transactions; a filter that is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Wish {
    /// With an entry on this account. Customers must name one of theirs.
    #[param(value_type = Option<String>, example = "101")]
    account_id: Option<AccountIdText>,
    /// With exactly this reference.
    #[param(example = "INV-7")]
    reference: Option<String>,
    /// deposit, withdrawal, transfer, journal_entry, capture or reversal.
    #[param(example = "transfer")]
    kind: Option<String>,
    /// From this booking date on.
    #[param(example = "2026-11-01")]
    from_date: Option<String>,
    /// Up to this booking date.
    #[param(example = "2026-11-30")]
    to_date: Option<String>,
    /// In this currency.
    #[param(example = "BDT")]
    currency: Option<String>,
    /// Of at least this amount; needs currency.
    #[param(example = "1000.00")]
    min_amount: Option<String>,
    /// Of at most this amount; needs currency.
    #[param(example = "5000.00")]
    max_amount: Option<String>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List transactions
///
/// Newest first. A page may be short, even empty, although more follow: go on while there is a next_cursor.
#[utoipa::path(
    get, path = "", tag = "transactions", params(Wish),
    responses((status = 200, description = "A page of transactions", body = Page<Transaction>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(wish): Query<Wish>,
) -> Result<Response, Problem> {
    let account = match wish.account_id {
        Some(AccountIdText(id)) => {
            caller.may_on(Action::ListTransactions, AccountRef::bank(id.0))?;
            Some((id, accounts::view(&app, &caller, id).await?.account))
        }
        None if caller.credential.role == Role::Customer => {
            return Err(Problem::malformed("Name the account whose transactions you want: account_id."));
        }
        None => {
            caller.may(Action::ListTransactions, Object::Bank)?;
            None
        }
    };
    let paging = Paging::new(&app, &caller, &uri, wish.limit, wish.cursor.as_deref())?;
    let filter = Filter::new(
        wish.kind.as_deref(),
        (wish.from_date.as_deref(), wish.to_date.as_deref()),
        wish.currency.as_deref(),
        (wish.min_amount.as_deref(), wish.max_amount.as_deref()),
    )?;
    let (limit, from) = (paging.limit, paging.from);
    let found = app.read(move |reads| match (wish.reference, account) {
        (Some(reference), account) => {
            let filter = Filter { account: account.map(|(id, _)| id), ..filter };
            referenced(reads, &reference, &filter, limit, from)
        }
        (None, Some((id, account))) => of_account(reads, id, &account, &filter, limit, from),
        (None, None) => backwards(reads, &filter, limit, from),
    });
    let (events, next) = found.await?;
    let items = standing(&app, &caller, &events).await?;
    Ok(paging.answer(items, next))
}

type Found = Result<(Vec<Event>, Option<u64>), Fault>;

/// A place is the sequence below which to look.
fn referenced(reads: &dyn Reads, reference: &str, filter: &Filter, limit: usize, from: Option<u64>) -> Found {
    let mut events = Vec::new();
    let mut below = Sequence(from.unwrap_or(u64::MAX >> 8));
    for _ in 0..EVENTS_MAX / STRETCH {
        let ids = reads.by_reference(reference, below, STRETCH as usize)?;
        let end = ids.len() < STRETCH as usize;
        for id in ids {
            if events.len() == limit {
                return Ok((events, Some(below.0)));
            }
            below = id;
            let event = reads.event(id)?;
            // Two references may have one digest, however unlikely.
            let same = |event: &Event| event.reference() == Some(reference) && filter.covers(event);
            events.extend(event.filter(same));
        }
        if end {
            return Ok((events, None));
        }
    }
    Ok((events, Some(below.0)))
}

/// A place is a version of the account.
fn of_account(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    filter: &Filter,
    limit: usize,
    from: Option<u64>,
) -> Found {
    let versions = history::versions(reads, id, account, filter.first, filter.last)?;
    let way = From::Down(from.unwrap_or(account.version));
    let page = history::page(reads, id, account, way, &versions, limit, |step| filter.covers(&step.event))?;
    let next = page.next.map(From::version);
    Ok((page.steps.into_iter().map(|step| step.event).collect(), next))
}

/// A place is the newest sequence to look at.
fn backwards(reads: &dyn Reads, filter: &Filter, limit: usize, from: Option<u64>) -> Found {
    let mut here = match (from, filter.last) {
        (Some(from), _) => from,
        (None, Some(last)) => history::newest(reads, |event| event.booking <= last)?.0,
        (None, None) => reads.head().sequence.0,
    };
    let mut events = Vec::new();
    for _ in 0..EVENTS_MAX.div_ceil(STRETCH) {
        if here == 0 {
            return Ok((events, None));
        }
        let first = (here.saturating_sub(STRETCH) + 1).max(1);
        let (found, earliest) = stretch(reads, first, here, filter)?;
        for event in found.into_iter().rev() {
            if events.len() == limit {
                return Ok((events, Some(event.sequence.0)));
            }
            events.push(event);
        }
        // Booking dates never fall, so nothing before is of a later day.
        if let (Some(wanted), Some(earliest)) = (filter.first, earliest)
            && earliest < wanted
        {
            return Ok((events, None));
        }
        here = first - 1;
    }
    Ok((events, (here > 0).then_some(here)))
}

/// The transactions that are wanted from `first` to `last`, oldest first, and the day of the first event.
fn stretch(
    reads: &dyn Reads,
    first: u64,
    last: u64,
    filter: &Filter,
) -> Result<(Vec<Event>, Option<Date>), Fault> {
    let mut events = Vec::new();
    let mut earliest = None;
    reads.scan(Sequence(first), &mut |event| {
        if event.sequence.0 > last {
            return ControlFlow::Break(());
        }
        earliest.get_or_insert(event.booking);
        if filter.covers(&event) {
            events.push(event);
        }
        ControlFlow::Continue(())
    })?;
    Ok((events, earliest))
}
