//! A desk: the books without a thread. Questions are futures that are polled by hand, and batches are decided by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bank::books::Books;
use bank::sequencer::{self, QueueLimits, RefusalBudget, Rules};
use bank::store::{Reads, Store};

use crate::time::SimClock;

/// A question under way.
pub type Asked<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Looks whether it is answered.
pub fn poll<T>(asked: &mut Asked<T>) -> Option<T> {
    match asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// How a desk works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Refusals kept a second, and at once; rate 0: no limit.
    pub refusals: (u32, u32),
    /// A leap of the clock beyond this stops writes.
    pub clock_jump_us: i64,
    /// Requests of a batch, by the bytes that the sequencer reckons (512 and more for each).
    pub batch_bytes: usize,
    /// How much may wait.
    pub queue: QueueLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            refusals: (0, 1),
            clock_jump_us: 300_000_000,
            batch_bytes: 8 << 20,
            queue: QueueLimits::default(),
        }
    }
}

/// What the sequencer sets aside in each batch for holds that expire.
const EXPIRIES: usize = 1_024 * 512;

impl Settings {
    /// The sequencer's settings and a queue for it.
    pub(crate) fn rules(&self, clock: SimClock) -> sequencer::Settings<SimClock> {
        sequencer::Settings {
            clock,
            clock_jump_us: self.clock_jump_us,
            refusals: RefusalBudget::new(self.refusals.0, self.refusals.1),
            batch_max: ledger::limits::GROUP_MAX + 1,
            bytes_max: EXPIRIES + self.batch_bytes,
        }
    }
}

/// Books over any store, turned by hand.
pub struct Desk {
    /// The books.
    pub books: Books,
    /// The clock that stamps them.
    pub clock: SimClock,
    /// Decides one batch.
    step: Box<dyn FnMut()>,
}

impl Desk {
    /// Over a store; opens the bank if it is new. `idle` is what the store does when nothing comes.
    pub fn new<S: Store>(
        mut store: S,
        reads: Arc<dyn Reads>,
        clock: SimClock,
        settings: &Settings,
        mut idle: impl FnMut(&mut S) + 'static,
    ) -> Desk {
        if store.next().0 == 1 {
            sequencer::open_bank(&mut store, [7; 16], 1, "Simulated Bank", clock.now())
                .expect("a short name");
            store.hand_over(Vec::new());
        }
        let (sequencer, queue) = sequencer::queue(settings.queue);
        let books = Books::new(sequencer, reads);
        let mut rules = Rules::new(&store, settings.rules(clock.clone()));
        let step = Box::new(move || {
            rules.step(&mut store, &queue);
            idle(&mut store);
        });
        Desk { books, clock, step }
    }

    /// Decides one batch of what waits.
    pub fn step(&mut self) {
        (self.step)();
    }

    /// Asks and waits for the answer.
    ///
    /// # Panics
    /// If there is none after a hundred batches.
    pub fn ask<T, F>(&mut self, question: impl FnOnce(Books) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut asked: Asked<T> = Box::pin(question(self.books.clone()));
        for _ in 0..100 {
            if let Some(answer) = poll(&mut asked) {
                return answer;
            }
            self.step();
        }
        panic!("no answer after a hundred batches");
    }
}
