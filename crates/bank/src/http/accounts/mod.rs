//! `/api/v1/accounts`: opening, changing and reading accounts.

mod balance;
mod entries;
mod limits;
mod list;
mod open;
mod read;
mod status;

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use ledger::AccountId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::caller::Caller;
use super::problem::Problem;
use super::submit::{mark, tag};
use super::wire::Account;
use crate::identity::{AccountRef, Action};
use crate::sequencer::{AccountView, Fault};
use crate::store::Reads;

pub(in crate::http) use balance::past;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(open::open))
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(balance::balance))
        .routes(routes!(entries::entries))
        .routes(routes!(status::freeze))
        .routes(routes!(status::unfreeze))
        .routes(routes!(status::activate))
        .routes(routes!(status::close))
        .routes(routes!(limits::limits))
}

/// 200 with an account that was changed, as it stands now: a replay shows what became of it since.
async fn changed(app: &App, id: AccountId, replayed: bool) -> Result<Response, Problem> {
    let view = app.service.books.account(id).await?.ok_or_else(unknown)?;
    let account = shown(app, &view)?;
    let mut response = Json(&account).into_response();
    tag(&mut response, account.version);
    mark(&mut response, replayed);
    Ok(response)
}

/// An account as it stands, if the caller may see it.
pub(in crate::http) async fn load(app: &App, caller: &Caller, id: AccountId) -> Result<Account, Problem> {
    let view = view(app, caller, id).await?;
    Ok(shown(app, &view)?)
}

/// The same in the ledger's terms.
pub(in crate::http) async fn view(app: &App, caller: &Caller, id: AccountId) -> Result<AccountView, Problem> {
    // Reading asks only whose account it is, so the policy answers before the books are looked at.
    caller.may_on(Action::ReadAccount, AccountRef::bank(id.0))?;
    app.service.books.account(id).await?.ok_or_else(unknown)
}

/// Adds what the opening event holds: one read of one record.
pub(in crate::http) fn shown(app: &App, view: &AccountView) -> Result<Account, Fault> {
    shown_by(&**app.service.books.reads(), view)
}

fn shown_by(reads: &dyn Reads, view: &AccountView) -> Result<Account, Fault> {
    let opened = reads.event(view.account.opened)?;
    opened.and_then(|event| Account::of(view, &event)).ok_or_else(|| {
        Fault::Unreadable(format!("event {} did not open account {}", view.account.opened, view.id))
    })
}

/// The same answer for what is not there and for what is somebody else's.
fn unknown() -> Problem {
    Problem::not_found("There is no such thing, or it is not yours.")
}
