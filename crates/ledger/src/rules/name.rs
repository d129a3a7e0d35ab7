//! Names: texts that many events share are written once and numbered.

use super::{Context, event};
use crate::command::Request;
use crate::event::{Body, Event, NameKind};
use crate::limits::NAME_BYTES_MAX;
use crate::refusal::{Code, Refusal};
use crate::view::View;

/// Interns a name. The caller has looked whether it is there already; a name that is gets no second number.
pub(super) fn intern<V: View>(
    view: &V,
    request: &Request,
    context: Context,
    kind: NameKind,
    text: &str,
) -> Result<Event, Refusal> {
    within(text, NAME_BYTES_MAX)?;
    assert!(view.name(kind, text).is_none(), "the sequencer answers known names itself");
    Ok(event(view, request, context, Body::Named { id: view.next_name(), kind, text: text.into() }))
}

/// A text within its limit of bytes.
pub(super) fn within(text: &str, maximum: usize) -> Result<(), Refusal> {
    if text.len() > maximum {
        return Err(Refusal::new(Code::TextTooLong).figures(text.len() as i128, maximum as i128));
    }
    Ok(())
}
