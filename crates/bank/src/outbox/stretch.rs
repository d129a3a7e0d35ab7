//! The newest stretches of the books, read once for all subscriptions.
//!
//! Subscriptions that keep up want the same events at the same time. Whoever comes first reads a stretch, the others
//! share it, and the document of those who see events as they are is made once for all of them. One that is far
//! behind reads stretches of its own; only the newest few are kept.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use ledger::{Event, Sequence};
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::lanes::LaneIds;
use super::message::Message;
use super::{Shared, view};
use crate::books::Names;
use crate::http::wire::EventOut;
use crate::sequencer::Fault;

/// Events of one stretch at most.
const EVENTS_MAX: usize = 512;

/// A stretch ends with the event that brings it to so many entries.
const ENTRIES_MAX: usize = 4_096;

/// Stretches that are kept.
const KEPT: usize = 8;

/// Events that follow each other without a gap.
pub(super) struct Stretch {
    first: u64,
    events: Vec<EventRead>,
    names: Names,
}

/// An event of a stretch.
pub(super) struct EventRead {
    pub(super) event: Event,
    pub(super) lanes: LaneIds,
    /// Its document for those who see it as it is.
    whole: OnceLock<Arc<Message>>,
}

/// The newest stretches, the newest first.
#[derive(Default)]
pub(super) struct Stretches(Mutex<VecDeque<Arc<Slot>>>);

/// A stretch that is read, or that somebody reads now.
struct Slot {
    first: u64,
    stretch: OnceCell<Arc<Stretch>>,
}

impl Stretches {
    /// The stretch that holds an event, which is durable.
    ///
    /// # Errors
    /// If the books cannot be read.
    pub(super) async fn holding(&self, shared: &Arc<Shared>, sequence: u64) -> Result<Arc<Stretch>, Fault> {
        let slot = self.slot(sequence);
        let stretch = slot.stretch.get_or_try_init(|| Stretch::read(shared, slot.first)).await?;
        Ok(Arc::clone(stretch))
    }

    fn slot(&self, sequence: u64) -> Arc<Slot> {
        let mut kept = self.0.lock();
        if let Some(slot) = kept.iter().find(|slot| slot.holds(sequence)) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot { first: sequence, stretch: OnceCell::new() });
        kept.truncate(KEPT - 1);
        kept.push_front(Arc::clone(&slot));
        slot
    }
}

impl Slot {
    fn holds(&self, sequence: u64) -> bool {
        match self.stretch.get() {
            Some(stretch) => stretch.at(sequence).is_some(),
            None => self.first == sequence,
        }
    }
}

impl Stretch {
    async fn read(shared: &Arc<Shared>, first: u64) -> Result<Arc<Stretch>, Fault> {
        let reader = Arc::clone(shared);
        let scanned = tokio::task::spawn_blocking(move || {
            let (mut events, mut entries) = (Vec::new(), 0);
            reader.books.reads().scan(Sequence(first), &mut |event| {
                entries += event.entries.len();
                events.push(event);
                let full = events.len() >= EVENTS_MAX || entries >= ENTRIES_MAX;
                if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            Ok::<_, Fault>(events)
        });
        let events = scanned.await.map_err(|_| Fault::Stopped)??;
        if events.first().is_none_or(|event| event.sequence.0 != first) {
            return Err(Fault::Unreadable(format!("event {first} is to be delivered but not there")));
        }
        let names = shared.names.of(&shared.books, &events).await?;
        let reads = shared.books.reads();
        let read = |event: Event| EventRead {
            lanes: view::lanes(&event, |id| reads.facts(id)),
            event,
            whole: OnceLock::new(),
        };
        Ok(Arc::new(Stretch { first, events: events.into_iter().map(read).collect(), names }))
    }

    /// The event with this sequence, if it is one of these.
    pub(super) fn at(&self, sequence: u64) -> Option<&EventRead> {
        let place = usize::try_from(sequence.checked_sub(self.first)?).ok()?;
        self.events.get(place)
    }

    /// The events from this sequence on, in order.
    pub(super) fn from(&self, sequence: u64) -> &[EventRead] {
        let place = usize::try_from(sequence.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.events.get(place..).unwrap_or_default()
    }

    /// An event of these as it is, with all names.
    pub(super) fn shown(&self, event: &Event, shared: &Shared) -> EventOut {
        EventOut::of(event, shared.identity, |id| self.names.get(id))
    }

    /// Its document for those who see it as it is.
    pub(super) fn whole(&self, read: &EventRead, shared: &Shared) -> Arc<Message> {
        let make = || {
            let shown = self.shown(&read.event, shared);
            Arc::new(Message::of(&read.event, &shown, &shared.source, &read.lanes, None))
        };
        Arc::clone(read.whole.get_or_init(make))
    }
}

#[cfg(test)]
mod tests {
    use ledger::event::NameKind;

    use super::*;
    use crate::service::{self, Service, Settings};

    async fn bank(folder: &tempfile::TempDir) -> Service {
        let mut settings = Settings::default();
        settings.store.journal.segment_bytes = 32 << 20;
        settings.store.journal.frame_bytes_max = 16 << 20;
        service::create(folder.path(), &settings).await.unwrap()
    }

    /// An event more; its sequence.
    async fn more(bank: &Service, name: &str) -> u64 {
        bank.books.intern(NameKind::Actor, name).await.unwrap();
        bank.books.reads().head().sequence.0
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_comes_at_once_or_later_shares_what_was_read_and_made() {
        let folder = tempfile::tempdir().unwrap();
        let bank = bank(&folder).await;
        let newest = more(&bank, "first").await;
        let shared = &bank.outbox.shared;
        let (one, other) =
            tokio::join!(shared.stretches.holding(shared, 1), shared.stretches.holding(shared, 1));
        let (one, other) = (one.unwrap(), other.unwrap());
        let later = shared.stretches.holding(shared, newest).await.unwrap();
        assert!(Arc::ptr_eq(&one, &other) && Arc::ptr_eq(&one, &later));
        let made = one.whole(one.at(newest).unwrap(), shared);
        assert!(Arc::ptr_eq(&made, &later.whole(later.at(newest).unwrap(), shared)));
        assert_eq!(made.sequence, newest);

        // What came since is a stretch of its own.
        let newer = more(&bank, "second").await;
        let since = shared.stretches.holding(shared, newer).await.unwrap();
        assert_eq!((since.from(newer).len(), one.from(newer).len()), (1, 0));
        assert!(since.at(newest).is_none() && since.from(newer + 1).is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_the_newest_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let bank = bank(&folder).await;
        let shared = &bank.outbox.shared;
        let first = shared.stretches.holding(shared, 1).await.unwrap();
        for number in 1..=KEPT {
            let kept = shared.stretches.holding(shared, 1).await.unwrap();
            assert!(Arc::ptr_eq(&kept, &first), "{number} stretches are there");
            let newest = more(&bank, &format!("name {number}")).await;
            shared.stretches.holding(shared, newest).await.unwrap();
        }
        let again = shared.stretches.holding(shared, 1).await.unwrap();
        assert!(!Arc::ptr_eq(&again, &first), "it was let go and is read again");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_event_that_is_not_there_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let bank = bank(&folder).await;
        let shared = &bank.outbox.shared;
        let beyond = bank.books.reads().head().sequence.0 + 1;
        assert!(matches!(shared.stretches.holding(shared, beyond).await, Err(Fault::Unreadable(_))));
        // It is looked for again once it may be there.
        assert_eq!(more(&bank, "now").await, beyond);
        assert!(shared.stretches.holding(shared, beyond).await.is_ok());
    }
}
