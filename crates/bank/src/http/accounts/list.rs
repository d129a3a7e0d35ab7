//! `GET /api/v1/accounts`: the accounts that the caller may see.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Digest, Status};
use serde::Deserialize;
use utoipa::IntoParams;

use super::shown_by;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::page::{Page, Paging};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::{self, Account};
use crate::identity::{Action, Object, Role};
use crate::sequencer::{AccountView, Fault, Wanted};

/// Which accounts; a filter that is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    /// Of this principal.
    #[param(example = "customer:alice")]
    owner: Option<String>,
    /// asset, liability, equity, income or expense.
    #[serde(rename = "type")]
    #[param(example = "liability")]
    account_type: Option<String>,
    /// pending, active, frozen or closed.
    #[param(example = "active")]
    status: Option<String>,
    /// In this currency.
    #[param(example = "BDT")]
    currency: Option<String>,
    /// With this number: one account at most.
    number: Option<String>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
    /// The next_cursor of the page before.
    cursor: Option<String>,
}

/// List accounts
///
/// In the order of their ids. Customers see their own, others all.
#[utoipa::path(
    get, path = "", tag = "accounts", params(Filter),
    responses((status = 200, description = "A page of accounts", body = Page<Account>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    caller.may(Action::ListAccounts, Object::Bank)?;
    let paging = Paging::new(&app, &caller, &uri, filter.limit, filter.cursor.as_deref())?;
    let (found, next) = match wanted(&app, &filter).await? {
        None => (Vec::new(), None),
        Some(wanted) => {
            let after = AccountId(paging.from.unwrap_or(0));
            match &filter.number {
                Some(number) => (numbered(&app, &caller, number, &wanted).await?, None),
                None if caller.credential.role == Role::Customer => {
                    own(&app, &caller, after, paging.limit, &wanted).await?
                }
                None => app.service.books.accounts(after, paging.limit, wanted).await?,
            }
        }
    };
    let items = app.read(move |reads| found.iter().map(|view| shown_by(reads, view)).collect()).await?;
    let items: Vec<Account> = items;
    Ok(paging.answer(items, next.map(|id| id.0)))
}

/// What is wanted, in the ledger's terms; none if nobody can match it.
async fn wanted(app: &App, filter: &Filter) -> Result<Option<Wanted>, Problem> {
    let word = |field: &str, text: &str| Problem::malformed(format!("{field} cannot be \"{text:.40}\"."));
    let owner = match &filter.owner {
        None => None,
        Some(name) => match app.service.books.name(NameKind::Principal, name).await? {
            Some(owner) => Some(owner),
            None => return Ok(None),
        },
    };
    let account_type = filter.account_type.as_deref();
    let account_type =
        account_type.map(|text| AccountType::from_name(text).ok_or_else(|| word("type", text)));
    let status = filter.status.as_deref();
    let status = status.map(|text| Status::from_name(text).ok_or_else(|| word("status", text)));
    let currency = filter.currency.as_deref().map(wire::currency);
    Ok(Some(Wanted {
        owner,
        account_type: account_type.transpose()?,
        status: status.transpose()?,
        currency: currency.transpose()?,
    }))
}

/// The account with this number, if it is wanted and may be seen.
async fn numbered(
    app: &App,
    caller: &Caller,
    number: &str,
    wanted: &Wanted,
) -> Result<Vec<AccountView>, Problem> {
    let books = &app.service.books;
    let Some(claimed) = books.claim(Digest::of_number(number)).await? else { return Ok(Vec::new()) };
    let opened = books.reads().event(claimed.sequence)?.and_then(|event| event.subject());
    let id = opened.ok_or_else(|| Fault::Unreadable(format!("event {} opened nothing", claimed.sequence)))?;
    if !caller.sees(id) {
        return Ok(Vec::new());
    }
    let view = books.account(id).await?;
    Ok(view.into_iter().filter(|view| wanted.covers(&view.account)).collect())
}

/// The customer's own accounts, as their key names them.
async fn own(
    app: &App,
    caller: &Caller,
    after: AccountId,
    limit: usize,
    wanted: &Wanted,
) -> Result<(Vec<AccountView>, Option<AccountId>), Problem> {
    let own = caller.credential.accounts.iter().copied().map(AccountId);
    let ids: Box<[AccountId]> = own.filter(|id| *id > after && caller.sees(*id)).collect();
    let mut found = app.service.books.accounts_by_id(ids).await?;
    found.retain(|view| wanted.covers(&view.account));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|view| view.id);
    Ok((found, next))
}
