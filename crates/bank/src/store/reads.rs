//! The reading side of a store: history, shared by many threads. Only what is durable is ever seen.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Account, AccountId, Digest, Event, Sequence, State};

use crate::books::history::{Place, Step};
use crate::books::{Facts, links};
use crate::sequencer::{Fault, Prior};
use crate::store::mysql::Breaks;

/// The newest durable sequence, as it changes.
pub type Watch = tokio::sync::watch::Receiver<u64>;

/// The newest durable event and the chain up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its sequence.
    pub sequence: Sequence,
    /// The chain's hash after it.
    pub hash: [u8; 32],
}

impl Head {
    /// Is this event there?
    ///
    /// # Errors
    /// [`Fault::NotYet`].
    pub fn reaches(&self, at: Sequence) -> Result<(), Fault> {
        let newest = self.sequence;
        if at > newest { Err(Fault::NotYet { at, newest }) } else { Ok(()) }
    }
}

/// A way back through an account's history.
pub type Trail<'a> = Box<dyn Iterator<Item = Result<Step, Fault>> + 'a>;

/// History.
pub trait Reads: Send + Sync + 'static {
    /// Looks digests up among the old claims, before a submission is queued.
    ///
    /// # Errors
    /// [`Fault::Unreadable`]: then nothing may be decided, since a used key could look new.
    fn prepare(&self, digests: &[Digest]) -> Result<Prior, Fault>;

    /// What never changes about an account; none if there is no such account.
    fn facts(&self, id: AccountId) -> Option<Facts>;

    /// The newest durable event.
    fn head(&self) -> Head;

    /// The newest durable sequence, as it changes.
    fn watch(&self) -> Watch;

    /// The event with this sequence; none above the head.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] if it cannot be read, [`Fault::Poisoned`] after a failed write.
    fn event(&self, sequence: Sequence) -> Result<Option<Event>, Fault>;

    /// Events from `from` on, in order, up to the head at the time of the call or until `each` breaks.
    ///
    /// # Errors
    /// As [`Reads::event`].
    fn scan(&self, from: Sequence, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), Fault>;

    /// The newest step of an account at or before a place; none if its history begins later.
    ///
    /// # Errors
    /// As [`Reads::event`].
    fn seek(&self, id: AccountId, account: &Account, place: Place) -> Result<Option<Step>, Fault> {
        links::seek(self, id, account, place)
    }

    /// An account's steps from this version down. It ends after an error.
    fn trail<'a>(&'a self, id: AccountId, account: &'a Account, version: u64) -> Trail<'a> {
        Box::new(links::trail(self, id, account, version))
    }

    /// Transactions with this reference, newest first, below `before`.
    ///
    /// # Errors
    /// As [`Reads::event`].
    fn by_reference(&self, reference: &str, before: Sequence, limit: usize) -> Result<Vec<Sequence>, Fault>;

    /// The books as they stood after `sequence`.
    ///
    /// # Errors
    /// As [`Reads::event`], [`Fault::NotYet`] above the head, and [`Fault::TooFar`].
    fn state_at(&self, sequence: Sequence) -> Result<State, Fault>;

    /// Balances that their entries did not explain, where the store keeps balances beside the events.
    fn breaks(&self) -> Option<&Breaks> {
        None
    }

    /// Figures for metrics: name and value.
    fn figures(&self) -> Vec<(&'static str, f64)>;
}

/// Events that a question about the past may fold beyond the nearest snapshot.
const FOLD_MAX: u64 = 50_000_000;

/// As [`fold`], if it is not too far.
pub(super) fn fold_up_to<R: Reads + ?Sized>(
    reads: &R,
    state: State,
    sequence: Sequence,
) -> Result<State, Fault> {
    within_reach(state.head(), sequence)?;
    fold(reads, state, sequence)
}

fn within_reach(from: Sequence, to: Sequence) -> Result<(), Fault> {
    let distance = to.0 - from.0;
    if distance > FOLD_MAX {
        let text = format!("{distance} events beyond the nearest snapshot, at most {FOLD_MAX} are folded");
        return Err(Fault::TooFar(text));
    }
    Ok(())
}

/// Folds the events after `state` onto it, up to `sequence`.
pub(super) fn fold<R: Reads + ?Sized>(
    reads: &R,
    mut state: State,
    sequence: Sequence,
) -> Result<State, Fault> {
    let mut folded = Ok(());
    reads.scan(state.head().next(), &mut |event| {
        if event.sequence > sequence {
            return ControlFlow::Break(());
        }
        folded = fold_each(&mut state, std::slice::from_ref(&event));
        if folded.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    folded.map(|()| state).map_err(|sequence| Fault::Unreadable(does_not_follow(sequence)))
}

/// Folds events. One that does not follow from those before it is nothing that a reader must die of: its sequence is
/// answered, and the state is of no use any more.
pub(super) fn fold_each(state: &mut State, events: &[Event]) -> Result<(), Sequence> {
    let mut at = Sequence(0);
    let folded = catch_unwind(AssertUnwindSafe(|| {
        for event in events {
            at = event.sequence;
            state.apply(event);
        }
    }));
    folded.map_err(|_| at)
}

/// What is said of such an event.
pub(super) fn does_not_follow(sequence: Sequence) -> String {
    format!("event {sequence} does not follow from those before it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_about_the_past_folds_fifty_million_events_and_not_one_more() {
        assert_eq!(within_reach(Sequence(7), Sequence(7 + FOLD_MAX)), Ok(()));
        let too_far = within_reach(Sequence(7), Sequence(8 + FOLD_MAX));
        assert!(matches!(too_far, Err(Fault::TooFar(_))), "{too_far:?}");
    }
}
