//! Homes for the books: one rule set, several stores.
//!
//! The phases are written once, in the sequencer; a store supplies only its part. The trait is used with
//! static dispatch: on the hot path there is no virtual call and no map made for a command.

mod answer;
pub mod journal;
pub mod memory;
pub mod mysql;
mod reads;

use std::time::Duration;

use ledger::{AccountId, Event, Request, Sequence, View};
use smallvec::SmallVec;

use crate::sequencer::{Answer, Fault, Outcome, Prior, Query, Reply, Submission};

pub use reads::{Head, Reads, Trail, Watch};

/// The writing side of a store, owned by the rules thread.
pub trait Store: Send + 'static {
    /// May new work be decided?
    ///
    /// # Errors
    /// The fault that forbids it; reads may go on, except after [`Fault::Poisoned`].
    fn ready(&self) -> Result<(), Fault>;

    /// A batch begins at `time`, or without one if nothing may be decided. A store whose books others write
    /// too takes in what they wrote, and keeps them out until the batch is settled.
    ///
    /// # Errors
    /// The fault with which the whole batch is answered, questions too.
    fn begin(&mut self, _batch: &[Submission], _time: Option<i64>) -> Result<(), Fault> {
        Ok(())
    }

    /// Makes the batch durable, if this store does so while the rules wait.
    ///
    /// # Errors
    /// [`Unsettled`]: the books are as they were when the batch began.
    fn settle(&mut self) -> Result<(), Unsettled> {
        Ok(())
    }

    /// How long the rules may sleep before the store wants another batch, be it an empty one.
    fn idle(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// These requests come next: fetch what they will look at, so that the cache misses overlap.
    fn touch(&mut self, _requests: &[Request], _prior: &Prior) {}

    /// The books as the next command sees them, this batch's events included.
    fn view<'a>(&'a self, prior: &'a Prior) -> impl View + 'a;

    /// The sequence that the next event gets.
    fn next(&self) -> Sequence;

    /// The time of the newest event.
    fn time(&self) -> i64;

    /// A hold whose time has come.
    fn due(&self, time: i64) -> Option<Sequence>;

    /// When the next hold expires.
    fn next_due(&self) -> Option<i64>;

    /// Customers' accounts that are frozen before anything of this batch is decided: what the store keeps of
    /// them beside the events is not what the events say.
    fn suspects(&self) -> Vec<AccountId> {
        Vec::new()
    }

    /// Takes an event into state and batch; answers where its record stands in the frame.
    fn accept(&mut self, event: &Event) -> u32;

    /// Answers a question about current state.
    fn answer(&self, query: &Query, prior: &Prior) -> Answer;

    /// Ends the batch: makes it durable, then answers. May return before that; the next batch then is
    /// decided meanwhile, and answered later.
    fn hand_over(&mut self, answers: Vec<Answered>);
}

/// A batch that did not become durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unsettled {
    /// Somebody was in the way: decide it again. The store sees to it that this ends.
    Again,
    /// It cannot be done now; what became of it can be asked by key.
    Fault(Fault),
}

/// A decided submission that waits for durability.
pub struct Answered {
    /// What became of it.
    pub outcomes: SmallVec<[Outcome; 1]>,
    /// How to say so.
    pub reply: Reply,
}
