//! Accounts: opening, status, limits.
//!
//! ```text
//!  pending ──► active ◄──► frozen
//!     └───────────┴──────────┴──► closed (empty, without holds; final)
//! ```

use super::draft::{Draft, Freeze};
use super::name::within;
use super::post::known;
use super::{Context, event};
use crate::account::{Account, Side, Status};
use crate::command::{OpenAccount, Request};
use crate::digest::Digest;
use crate::event::{Body, Event, Opening};
use crate::ids::AccountId;
use crate::limits::{MADE_NUMBER_PREFIX, NAME_BYTES_MAX, NUMBER_BYTES_MAX};
use crate::refusal::{Code, Refusal};
use crate::view::View;

pub(super) fn open<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    wish: &OpenAccount,
) -> Result<Event, Refusal> {
    if wish.overdraft_limit < 0 {
        return Err(Refusal::new(Code::LimitNegative));
    }
    if !matches!(wish.status, Status::Pending | Status::Active) {
        return Err(Refusal::new(Code::StatusNotReachable));
    }
    within(&wish.name, NAME_BYTES_MAX)?;
    let id = view.next_account();
    let number: Box<str> = match &wish.number {
        Some(number) => {
            within(number, NUMBER_BYTES_MAX)?;
            if number.is_empty() || number.starts_with(MADE_NUMBER_PREFIX) {
                return Err(Refusal::new(Code::NumberReserved));
            }
            number.clone()
        }
        None => made_number(id),
    };
    if view.claimed(&Digest::of_number(&number)).is_some() {
        return Err(Refusal::new(Code::NumberTaken));
    }
    let account = Account::new(
        wish.account_type,
        wish.currency,
        wish.owner,
        wish.status,
        wish.overdraft_limit,
        context.sequence,
    );
    let mut draft = Draft::new(view, Freeze::Passes);
    draft.create(id, &account);
    let opening = Opening {
        account_type: wish.account_type,
        currency: wish.currency,
        status: wish.status,
        overdraft_limit: wish.overdraft_limit,
        owner: wish.owner,
        number,
        name: wish.name.clone(),
    };
    let mut event = event(view, request, context, Body::AccountOpened(Box::new(opening)));
    event.entries = draft.entries();
    Ok(event)
}

/// What is to change on an account.
pub(super) struct Change {
    pub(super) status: Option<Status>,
    pub(super) overdraft_limit: Option<i64>,
    pub(super) expected_version: Option<u64>,
}

pub(super) fn change<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: AccountId,
    change: Change,
) -> Result<Event, Refusal> {
    let account = *known(view, id)?;
    if let Some(expected) = change.expected_version
        && expected != account.version
    {
        return Err(Refusal::new(Code::VersionDiffers)
            .on(id)
            .figures(account.version.into(), expected.into()));
    }
    if change.status.is_none() && change.overdraft_limit.is_none() {
        return Err(Refusal::new(Code::NothingToChange).on(id));
    }
    if let Some(status) = change.status {
        check_step(&account, id, status)?;
    }
    if let Some(limit) = change.overdraft_limit {
        check_limit(&account, id, limit)?;
    }
    let body = Body::AccountChanged {
        status: change.status.map(|status| (account.status, status)),
        overdraft_limit: change.overdraft_limit.map(|limit| (account.overdraft_limit, limit)),
    };
    let mut draft = Draft::new(view, Freeze::Passes);
    draft.touch(id)?;
    let mut event = event(view, request, context, body);
    event.entries = draft.entries();
    Ok(event)
}

fn check_step(account: &Account, id: AccountId, to: Status) -> Result<(), Refusal> {
    let refuse = |code| Refusal::new(code).on(id).in_currency(account.currency());
    match (account.status, to) {
        (Status::Pending | Status::Frozen, Status::Active) | (Status::Active, Status::Frozen) => Ok(()),
        (Status::Pending | Status::Active | Status::Frozen, Status::Closed) => {
            if account.ledger_balance() != 0 {
                return Err(refuse(Code::AccountNotEmpty).figures(account.ledger_balance(), 0));
            }
            let held = account.held(Side::Debit) + account.held(Side::Credit);
            if held != 0 {
                return Err(refuse(Code::AccountHasHolds).figures(held, 0));
            }
            Ok(())
        }
        (Status::Closed, _) => Err(Refusal::new(Code::AccountClosed).on(id)),
        _ => Err(Refusal::new(Code::StatusNotReachable).on(id)),
    }
}

fn check_limit(account: &Account, id: AccountId, limit: i64) -> Result<(), Refusal> {
    if limit < 0 {
        return Err(Refusal::new(Code::LimitNegative).on(id));
    }
    if account.status == Status::Closed {
        return Err(Refusal::new(Code::AccountClosed).on(id));
    }
    let in_use = account.reserved() - account.ledger_balance();
    if in_use > i128::from(limit) {
        let refusal = Refusal::new(Code::LimitBelowUse).on(id).in_currency(account.currency());
        return Err(refusal.figures(in_use, limit.into()));
    }
    Ok(())
}

/// The number that the bank makes up: "BC" and the id. No caller's number begins so, hence it is always free,
/// and nobody has to look for it among old claims.
fn made_number(id: AccountId) -> Box<str> {
    format!("{MADE_NUMBER_PREFIX}{:010}", id.0).into()
}
