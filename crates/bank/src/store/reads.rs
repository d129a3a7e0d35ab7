//! The reading side of a store: history, shared by many threads. Only what is durable is ever seen.

use std::ops::ControlFlow;

use ledger::{Account, AccountId, Digest, Event, Sequence, State};

use crate::books::history::{Place, Step};
use crate::books::{Facts, links};
use crate::sequencer::{Fault, Prior};

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

    /// Figures for metrics: name and value.
    fn figures(&self) -> Vec<(&'static str, f64)>;
}

/// Folds the events after `state` onto it, up to `sequence`.
pub(super) fn fold<R: Reads + ?Sized>(
    reads: &R,
    mut state: State,
    sequence: Sequence,
) -> Result<State, Fault> {
    reads.scan(state.head().next(), &mut |event| {
        if event.sequence > sequence {
            return ControlFlow::Break(());
        }
        state.apply(&event);
        ControlFlow::Continue(())
    })?;
    Ok(state)
}
