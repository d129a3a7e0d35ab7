//! Reversals: a new transaction that mirrors an earlier one, whole or in part, and never more than it.
//!
//! Reversals pass a freeze. They do not pass the floor of an account: money that was spent meanwhile is not
//! taken back by driving somebody below zero unseen.

use smallvec::SmallVec;

use super::draft::{Draft, Freeze, check_balanced};
use super::post::require_day;
use super::{Context, event};
use crate::command::{Extent, Original, Request};
use crate::entry::Line;
use crate::event::{Body, Event, TransactionKind};
use crate::refusal::{Code, Refusal};
use crate::view::View;

pub(super) fn reverse<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    original: &Original,
    extent: &Extent,
) -> Result<Event, Refusal> {
    if original.kind == TransactionKind::Reversal {
        return Err(about(Code::NotReversible, original));
    }
    let parts = parts(view, original, extent)?;
    if parts.is_empty() {
        return Err(about(Code::AlreadyReversed, original));
    }
    let lines: SmallVec<[Line; 2]> =
        parts.iter().map(|&(index, amount)| mirror(original, index, amount)).collect();
    check_balanced(&lines)?;
    require_day(view, request)?;
    let mut draft = Draft::new(view, Freeze::Passes);
    for line in &lines {
        draft.post(*line)?;
    }
    let indices = parts.iter().map(|&(index, _)| index).collect();
    let reverses = Some((original.sequence, indices));
    let body = Body::Posted { kind: TransactionKind::Reversal, hold: None, reverses };
    let mut event = event(view, request, context, body);
    event.entries = draft.entries();
    Ok(event)
}

type Parts = SmallVec<[(u8, i64); 2]>;

/// Which entries are taken back, and how much of each; each within its remainder.
fn parts<V: View>(view: &V, original: &Original, extent: &Extent) -> Result<Parts, Refusal> {
    let rest =
        |index: u8| original.lines[usize::from(index)].amount - view.reversed(original.sequence, index);
    match extent {
        Extent::Rest => {
            let all = 0..original.lines.len() as u8;
            Ok(all.map(|index| (index, rest(index))).filter(|&(_, amount)| amount > 0).collect())
        }
        Extent::Amount(amount) => {
            if original.lines.len() != 2 {
                let entries = original.lines.len() as i128;
                return Err(Refusal::new(Code::EntriesRequired).figures(entries, 0));
            }
            within(original, &[(0, *amount), (1, *amount)], rest)
        }
        Extent::Entries(named) => {
            let mut seen: SmallVec<[u8; 8]> = SmallVec::new();
            for &(index, _) in named.iter() {
                if usize::from(index) >= original.lines.len() || seen.contains(&index) {
                    let entries = original.lines.len() as i128;
                    return Err(Refusal::new(Code::EntriesRequired).figures(entries, 0));
                }
                seen.push(index);
            }
            if named.len() < 2 {
                return Err(Refusal::new(Code::EntriesRequired).figures(original.lines.len() as i128, 0));
            }
            within(original, named, rest)
        }
    }
}

fn within(original: &Original, wanted: &[(u8, i64)], rest: impl Fn(u8) -> i64) -> Result<Parts, Refusal> {
    for &(index, amount) in wanted {
        let line = &original.lines[usize::from(index)];
        if amount <= 0 {
            return Err(Refusal::new(Code::AmountNotPositive).on(line.account));
        }
        let left = rest(index);
        if left == 0 {
            return Err(about(Code::AlreadyReversed, original));
        }
        if amount > left {
            let refusal = Refusal::new(Code::ReversalExceeds).on(line.account).in_currency(line.currency);
            return Err(refusal.figures(left.into(), amount.into()));
        }
    }
    Ok(wanted.iter().copied().collect())
}

fn mirror(original: &Original, index: u8, amount: i64) -> Line {
    let line = original.lines[usize::from(index)];
    Line { side: line.side.opposite(), amount, ..line }
}

fn about(code: Code, original: &Original) -> Refusal {
    Refusal::new(code).figures(original.sequence.0.into(), 0)
}
