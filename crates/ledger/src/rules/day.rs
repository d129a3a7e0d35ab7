//! Business days: one is open at a time, and they only go forward.

use super::{Context, event};
use crate::command::Request;
use crate::date::Date;
use crate::event::{Body, Event};
use crate::refusal::{Code, Refusal};
use crate::view::View;

pub(super) fn open<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    date: Date,
) -> Result<Event, Refusal> {
    let day = view.day();
    if let Some(open) = day.open {
        return Err(Refusal::new(Code::DayAlreadyOpen).figures(open.0.into(), 0));
    }
    if let Some(newest) = day.newest
        && date <= newest
    {
        return Err(Refusal::new(Code::DayNotAfter).figures(newest.0.into(), date.0.into()));
    }
    Ok(event(view, request, context, Body::DayOpened { date }))
}

pub(super) fn close<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    date: Date,
) -> Result<Event, Refusal> {
    if view.day().open != Some(date) {
        return Err(Refusal::new(Code::DayNotOpen).figures(date.0.into(), 0));
    }
    Ok(event(view, request, context, Body::DayClosed { date }))
}
