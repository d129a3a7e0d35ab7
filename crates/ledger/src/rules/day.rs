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
    match day.newest {
        Some(newest) if date <= newest => {
            Err(Refusal::new(Code::DayNotAfter).figures(newest.0.into(), date.0.into()))
        }
        // Up to and with this event all is booked on the clock's day, and booking dates never go back.
        None if date < Date::of_micros(context.time) => {
            let earliest = Date::of_micros(context.time);
            Err(Refusal::new(Code::FirstDayTooEarly).figures(earliest.0.into(), date.0.into()))
        }
        _ => Ok(event(view, request, context, Body::DayOpened { date })),
    }
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
