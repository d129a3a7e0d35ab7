//! Names: texts that many events share are written once and numbered.

use super::{Context, event};
use crate::command::Request;
use crate::event::{Body, Event, NameKind};
use crate::limits::NAME_BYTES_MAX;
use crate::refusal::{Code, Refusal};
use crate::view::View;

/// Interns a name; one that is there already gets no second number.
pub(super) fn intern<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    kind: NameKind,
    text: &str,
) -> Result<Event, Refusal> {
    within(text, NAME_BYTES_MAX)?;
    if let Some(known) = view.name(kind, text) {
        return Err(Refusal::new(Code::NameKnown).figures(known.0.into(), 0));
    }
    Ok(event(view, request, context, Body::Named { id: view.next_name(), kind, text: text.into() }))
}

/// A text within its limit of bytes.
pub(super) fn within(text: &str, maximum: usize) -> Result<(), Refusal> {
    if text.len() > maximum {
        return Err(Refusal::new(Code::TextTooLong).figures(text.len() as i128, maximum as i128));
    }
    Ok(())
}
