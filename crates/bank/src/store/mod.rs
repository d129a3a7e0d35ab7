//! Homes for the books: one rule set, several stores.
//!
//! The phases are written once, in the sequencer; a store supplies only its part. The trait is used with
//! static dispatch: on the hot path there is no virtual call and no map made for a command.

mod answer;
pub mod journal;
pub mod memory;
mod reads;

use ledger::{Event, Request, Sequence, View};
use smallvec::SmallVec;

use crate::sequencer::{Answer, Fault, Outcome, Prior, Query, Reply, Submission};

pub use reads::{Head, Reads, Watch};

/// The writing side of a store, owned by the rules thread.
pub trait Store: Send + 'static {
    /// May new work be decided?
    ///
    /// # Errors
    /// The fault that forbids it; reads may go on, except after [`Fault::Poisoned`].
    fn ready(&self) -> Result<(), Fault>;

    /// A batch begins: load what it will read, if the books are not in memory.
    fn begin(&mut self, _batch: &[Submission]) {}

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

    /// Takes an event into state and batch; answers where its record stands in the frame.
    fn accept(&mut self, event: &Event) -> u32;

    /// Answers a question about current state.
    fn answer(&self, query: &Query, prior: &Prior) -> Answer;

    /// Ends the batch: makes it durable, then answers. May return before that; the next batch then is
    /// decided meanwhile, and answered later.
    fn hand_over(&mut self, answers: Vec<Answered>);
}

/// A decided submission that waits for durability.
pub struct Answered {
    /// What became of it.
    pub outcomes: SmallVec<[Outcome; 1]>,
    /// How to say so.
    pub reply: Reply,
}
