//! Holds: funds reserved on one account, and promised to another if the hold names one.
//!
//! ```text
//!            ┌─ capture (whole or part; the rest is released) ─► captured
//!  placed ───┼─ void ──────────────────────────────────────────► voided
//!            └─ expire (its time has come) ────────────────────► expired
//! ```
//! A hold has one end, and the end is a claim: a second one finds the first, for ever.
//!
//! A *prepared* hold is the first phase of a two-phase commit: both its ends are named, no time ends it, and only a
//! coordinator's decision does.
//! ```text
//!             ┌─ commit (whole; passes a freeze) ─► captured
//!  prepared ──┤
//!             └─ abort ───────────────────────────► voided
//! ```

use smallvec::SmallVec;

use super::draft::{Draft, Freeze};
use super::post::{known, require_day};
use super::{Context, event};
use crate::command::{Command, Movement, Request};
use crate::currency::Currency;
use crate::digest::Digest;
use crate::entry::Line;
use crate::event::{Body, Event, HoldEnd, TransactionKind};
use crate::ids::{AccountId, Sequence};
use crate::limits::{HOLD_LIFE_DEFAULT_US, HOLD_LIFE_MAX_US, NEVER};
use crate::refusal::{Code, Refusal};
use crate::view::{Hold, View};

pub(super) fn place<V: View>(view: &V, request: &Request, context: Context) -> Result<Event, Refusal> {
    let Command::Hold { account, to, amount, currency, expires_at } = request.command else {
        unreachable!("called for holds only")
    };
    let expires_at = expires_at.unwrap_or(context.time + HOLD_LIFE_DEFAULT_US);
    if expires_at <= context.time || expires_at > context.time + HOLD_LIFE_MAX_US {
        return Err(Refusal::new(Code::HoldTooLong).on(account));
    }
    reserve(view, request, context, (account, to), (amount, currency), expires_at)
}

/// Both ends are named, so that all that could stop the commit is checked now: what follows keeps funds, room for the
/// credit, and the accounts open.
pub(super) fn prepare<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    movement: &Movement,
) -> Result<Event, Refusal> {
    let Movement { from, to, amount, currency } = *movement;
    reserve(view, request, context, (from, Some(to)), (amount, currency), NEVER)
}

fn reserve<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    (account, to): (AccountId, Option<AccountId>),
    (amount, currency): (i64, Currency),
    expires_at: i64,
) -> Result<Event, Refusal> {
    if to == Some(account) {
        return Err(Refusal::new(Code::SameAccount).on(account));
    }
    let side = known(view, account)?.normal_side().opposite();
    require_day(view, request)?;
    let mut draft = Draft::new(view, Freeze::Stops);
    draft.hold(Line { account, side, amount, currency })?;
    if let Some(to) = to {
        if known(view, to)?.normal_side() == side {
            return Err(Refusal::new(Code::WrongAccountType).on(to));
        }
        draft.hold(Line { account: to, side: side.opposite(), amount, currency })?;
    }
    let mut event = event(view, request, context, Body::HoldPlaced { expires_at });
    event.entries = draft.entries();
    Ok(event)
}

pub(super) fn capture<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
    amount: Option<i64>,
    to: Option<AccountId>,
) -> Result<Event, Refusal> {
    let hold = *ordinary(view, id)?;
    if hold.expires_at <= context.time {
        return Err(number(Code::HoldExpired, id));
    }
    let to = match (hold.to, to) {
        (Some(promised), Some(named)) if promised != named => {
            return Err(number(Code::DestinationDiffers, id));
        }
        (Some(promised), _) => promised,
        (None, Some(named)) => named,
        (None, None) => return Err(number(Code::DestinationRequired, id)),
    };
    if to == hold.account {
        return Err(Refusal::new(Code::SameAccount).on(to));
    }
    if known(view, to)?.normal_side() == hold.side {
        return Err(Refusal::new(Code::WrongAccountType).on(to));
    }
    let amount = amount.unwrap_or(hold.amount);
    if amount > hold.amount {
        let refusal = Refusal::new(Code::CaptureExceedsHold).on(hold.account).in_currency(hold.currency);
        return Err(refusal.figures(hold.amount.into(), amount.into()));
    }
    post(view, request, context, id, &hold, (amount, to), Freeze::Stops)
}

/// What was prepared can be posted, whatever happened to the accounts since; it waits only for an open business day.
pub(super) fn commit<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
) -> Result<Event, Refusal> {
    let hold = *prepared(view, id)?;
    let to = hold.to.expect("a prepared hold names both ends");
    post(view, request, context, id, &hold, (hold.amount, to), Freeze::Passes)
}

fn post<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
    hold: &Hold,
    (amount, to): (i64, AccountId),
    freeze: Freeze,
) -> Result<Event, Refusal> {
    require_day(view, request)?;
    let mut draft = Draft::new(view, freeze);
    release_all(&mut draft, hold)?;
    draft.post(Line { account: hold.account, side: hold.side, amount, currency: hold.currency })?;
    draft.post(Line { account: to, side: hold.side.opposite(), amount, currency: hold.currency })?;
    let body = Body::Posted { kind: TransactionKind::Capture, hold: Some(id), reverses: None };
    let mut event = event(view, request, context, body);
    event.entries = draft.entries();
    Ok(event)
}

pub(super) fn void<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
) -> Result<Event, Refusal> {
    end(view, request, context, id, ordinary(view, id)?, HoldEnd::Voided)
}

pub(super) fn abort<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
) -> Result<Event, Refusal> {
    end(view, request, context, id, prepared(view, id)?, HoldEnd::Voided)
}

pub(super) fn expire<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
) -> Result<Event, Refusal> {
    let hold = open_hold(view, id)?;
    assert!(hold.expires_at <= context.time, "only the sequencer expires holds, and only when they are due");
    end(view, request, context, id, hold, HoldEnd::Expired)
}

/// Gives reserved funds back. Neither a freeze nor a closed business day stops it: nothing is posted.
fn end<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    id: Sequence,
    hold: &Hold,
    how: HoldEnd,
) -> Result<Event, Refusal> {
    let mut draft = Draft::new(view, Freeze::Passes);
    release_all(&mut draft, hold)?;
    let mut event = event(view, request, context, Body::HoldEnded { hold: id, how });
    event.entries = draft.entries();
    Ok(event)
}

fn release_all<V: View>(draft: &mut Draft<'_, V>, hold: &Hold) -> Result<(), Refusal> {
    let mut ends: SmallVec<[_; 2]> = SmallVec::new();
    ends.push((hold.account, hold.side));
    ends.extend(hold.to.map(|to| (to, hold.side.opposite())));
    for (account, side) in ends {
        draft.release(account, side, hold.amount)?;
    }
    Ok(())
}

/// An open hold that its maker and time may end.
fn ordinary<V: View>(view: &V, id: Sequence) -> Result<&Hold, Refusal> {
    let hold = open_hold(view, id)?;
    if hold.is_prepared() { Err(number(Code::HoldPrepared, id)) } else { Ok(hold) }
}

/// An open hold that a coordinator decides.
fn prepared<V: View>(view: &V, id: Sequence) -> Result<&Hold, Refusal> {
    let hold = open_hold(view, id)?;
    if hold.is_prepared() { Ok(hold) } else { Err(number(Code::UnknownHold, id)) }
}

fn open_hold<V: View>(view: &V, id: Sequence) -> Result<&Hold, Refusal> {
    match view.hold(id) {
        Some(hold) => Ok(hold),
        None if view.claimed(&Digest::of_hold_end(id)).is_some() => Err(number(Code::HoldEnded, id)),
        None => Err(number(Code::UnknownHold, id)),
    }
}

fn number(code: Code, id: Sequence) -> Refusal {
    Refusal::new(code).figures(id.0.into(), 0)
}
