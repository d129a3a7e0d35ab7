//! Posting: deposit, withdrawal, transfer and entries are one rule with different lines.

use smallvec::{SmallVec, smallvec};

use super::draft::{Draft, Freeze, check_balanced};
use super::{Context, event};
use crate::account::{Account, AccountType, Side};
use crate::command::{Movement, Request};
use crate::date::Date;
use crate::entry::Line;
use crate::event::{Body, Event, TransactionKind};
use crate::ids::AccountId;
use crate::limits::{ENTRIES_MAX, VALUE_DATE_AHEAD_DAYS, VALUE_DATE_BACK_DAYS};
use crate::refusal::{Code, Refusal};
use crate::view::View;

/// Cash in. The drawer is an asset and grows by a debit; the bank owes the customer more: a credit.
pub(super) fn deposit<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    movement: &Movement,
) -> Result<Event, Refusal> {
    require_type(view, movement.from, AccountType::Asset)?;
    require_type(view, movement.to, AccountType::Liability)?;
    two_lines(view, request, context, TransactionKind::Deposit, movement, Side::Debit)
}

/// Cash out: the mirror of a deposit.
pub(super) fn withdraw<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    movement: &Movement,
) -> Result<Event, Refusal> {
    require_type(view, movement.from, AccountType::Liability)?;
    require_type(view, movement.to, AccountType::Asset)?;
    two_lines(view, request, context, TransactionKind::Withdrawal, movement, Side::Debit)
}

/// From one account to another of the same normal side, so that "from" always shrinks and "to" always grows:
/// customer to customer, but also vault to drawer.
pub(super) fn transfer<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    movement: &Movement,
) -> Result<Event, Refusal> {
    let from = known(view, movement.from)?.normal_side();
    let to = known(view, movement.to)?.normal_side();
    if from != to {
        return Err(Refusal::new(Code::WrongAccountType).on(movement.to));
    }
    two_lines(view, request, context, TransactionKind::Transfer, movement, from.opposite())
}

/// A balanced set of entries.
pub(super) fn lines<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    lines: &[Line],
) -> Result<Event, Refusal> {
    if !(2..=ENTRIES_MAX).contains(&lines.len()) {
        return Err(Refusal::new(Code::EntryCount).figures(lines.len() as i128, ENTRIES_MAX as i128));
    }
    for (index, line) in lines.iter().enumerate() {
        let other_side = |other: &Line| other.account == line.account && other.side != line.side;
        if lines[..index].iter().any(other_side) {
            return Err(Refusal::new(Code::SameAccount).on(line.account));
        }
        if line.amount <= 0 {
            return Err(Refusal::new(Code::AmountNotPositive).on(line.account));
        }
    }
    check_balanced(lines)?;
    posted(view, request, context, TransactionKind::Journal, lines)
}

fn two_lines<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    kind: TransactionKind,
    movement: &Movement,
    from_side: Side,
) -> Result<Event, Refusal> {
    let Movement { from, to, amount, currency } = *movement;
    if from == to {
        return Err(Refusal::new(Code::SameAccount).on(from));
    }
    let lines: SmallVec<[Line; 2]> = smallvec![
        Line { account: from, side: from_side, amount, currency },
        Line { account: to, side: from_side.opposite(), amount, currency },
    ];
    posted(view, request, context, kind, &lines)
}

fn posted<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    kind: TransactionKind,
    lines: &[Line],
) -> Result<Event, Refusal> {
    require_day(view, request)?;
    let mut draft = Draft::new(view, Freeze::Stops);
    for line in lines {
        draft.post(*line)?;
    }
    let mut event = event(view, request, context, Body::Posted { kind, hold: None, reverses: None });
    event.entries = draft.entries();
    Ok(event)
}

/// A business day is open, and the value date lies near it.
pub(super) fn require_day<V: View>(view: &V, request: &Request) -> Result<Date, Refusal> {
    let booking = view.day().open.ok_or(Refusal::new(Code::NoOpenDay))?;
    if let Some(value) = request.value {
        let (booking, value) = (i64::from(booking.0), i64::from(value.0));
        let allowed = -i64::from(VALUE_DATE_BACK_DAYS)..=i64::from(VALUE_DATE_AHEAD_DAYS);
        if !allowed.contains(&(value - booking)) {
            return Err(Refusal::new(Code::ValueDateOutOfRange).figures(booking.into(), value.into()));
        }
    }
    Ok(booking)
}

pub(super) fn known<V: View>(view: &V, id: AccountId) -> Result<&Account, Refusal> {
    view.account(id).ok_or(Refusal::new(Code::UnknownAccount).on(id))
}

fn require_type<V: View>(view: &V, id: AccountId, wanted: AccountType) -> Result<(), Refusal> {
    if known(view, id)?.account_type == wanted {
        Ok(())
    } else {
        Err(Refusal::new(Code::WrongAccountType).on(id))
    }
}
