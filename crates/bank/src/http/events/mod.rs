//! `/api/v1/events`: everything that happened, in order, as pages and as a stream. Only what is durable.

mod list;
mod stream;

use std::ops::ControlFlow;
use std::sync::Arc;

use axum::http::StatusCode;
use ledger::{Event, Sequence};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use super::wire::{EVENT_KINDS, EventOut, event_kind};
use crate::sequencer::Fault;
use crate::store::Reads;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list::list)).routes(routes!(stream::stream))
}

/// Which kinds are wanted; all if none is named.
#[derive(Clone, Default)]
struct Kinds(Option<Arc<[&'static str]>>);

impl Kinds {
    /// Of words with commas between them.
    fn parse(text: Option<&str>) -> Result<Kinds, Problem> {
        let Some(text) = text else { return Ok(Kinds(None)) };
        let known = |word: &str| {
            EVENT_KINDS.into_iter().find(|kind| *kind == word).ok_or_else(|| {
                let detail =
                    format!("kinds cannot hold \"{word:.40}\"; it holds {}.", EVENT_KINDS.join(", "));
                Problem::malformed(detail)
            })
        };
        text.split(',').map(known).collect::<Result<_, _>>().map(|kinds| Kinds(Some(kinds)))
    }

    fn hold(&self, event: &Event) -> bool {
        self.0.as_ref().is_none_or(|kinds| kinds.contains(&event_kind(event)))
    }
}

/// Events that are wanted after a sequence, and how far was looked.
struct Stretch {
    events: Vec<Event>,
    through: Sequence,
}

/// How much one reading takes.
struct Bounds {
    /// Events that are wanted.
    events: usize,
    /// Entries in them: one event may have many.
    entries: usize,
    /// Events looked at.
    visits: usize,
}

fn after(reads: &dyn Reads, sequence: Sequence, kinds: &Kinds, bounds: &Bounds) -> Result<Stretch, Fault> {
    let mut found = Stretch { events: Vec::new(), through: sequence };
    let (mut entries, mut visits) = (0, 0);
    reads.scan(sequence.next(), &mut |event| {
        found.through = event.sequence;
        visits += 1;
        if kinds.hold(&event) {
            entries += event.entries.len();
            found.events.push(event);
        }
        if found.events.len() >= bounds.events || entries >= bounds.entries || visits >= bounds.visits {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Events with the names that they carry.
async fn shown(app: &App, events: &[Event]) -> Result<Vec<EventOut>, Fault> {
    let names = app.names_in(events).await?;
    let identity = app.service.identity;
    Ok(events.iter().map(|event| EventOut::of(event, identity, |id| names.get(id))).collect())
}

/// A place beyond the newest event: of another bank, or of books that were restored since.
fn beyond(head: Sequence) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "beyond_the_newest_event",
        "Beyond the newest event",
        format!("The newest event is {head}; there is nothing after the one that you named."),
        "Compare bank and timeline in your newest event id with those here; after a restore begin anew.",
    )
    .with("newest", head.0)
}
