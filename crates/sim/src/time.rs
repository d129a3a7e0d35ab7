//! Simulated clocks: nothing moves unless somebody moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bank::sequencer::Clock;

/// 2026-11-22 00:00 UTC, where every simulation begins.
pub const START: i64 = 20_779 * DAY;
/// A day in microseconds.
pub const DAY: i64 = 86_400_000_000;
/// A second in microseconds.
pub const SECOND: i64 = 1_000_000;

/// A wall clock and a monotonic one. Clones show the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<[AtomicI64; 2]>);

impl Default for SimClock {
    fn default() -> Self {
        SimClock(Arc::new([AtomicI64::new(START), AtomicI64::new(0)]))
    }
}

impl SimClock {
    /// Time passes: both clocks go on.
    pub fn pass(&self, micros: i64) {
        self.0[0].fetch_add(micros, Ordering::Relaxed);
        self.0[1].fetch_add(micros, Ordering::Relaxed);
    }

    /// Somebody sets the wall clock; the monotonic one does not notice.
    pub fn set_off(&self, micros: i64) {
        self.0[0].fetch_add(micros, Ordering::Relaxed);
    }

    /// The wall clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// The monotonic clock.
    #[must_use]
    pub fn ticks(&self) -> i64 {
        self.0[1].load(Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn wall(&mut self) -> i64 {
        self.now()
    }

    fn monotonic(&mut self) -> i64 {
        self.ticks()
    }
}

/// What stamps the sequencer must make, worked out apart from it.
#[derive(Clone, Debug)]
pub struct Stamps {
    bound: i64,
    last: i64,
    before: Option<(i64, i64)>,
}

impl Stamps {
    /// After a start on books whose newest event is of `last`.
    #[must_use]
    pub fn new(last: i64, bound: i64) -> Stamps {
        Stamps { bound, last, before: None }
    }

    /// The stamp of the next batch; none if the wall clock went further than the monotonic one and the bound allow.
    pub fn next(&mut self, clock: &SimClock, confirmed: bool) -> Option<i64> {
        let now = (clock.now(), clock.ticks());
        if let Some((wall, ticks)) = self.before.filter(|_| !confirmed)
            && (now.0 - wall) - (now.1 - ticks) > self.bound
        {
            return None;
        }
        self.before = Some(now);
        self.last = self.last.max(now.0);
        Some(self.last)
    }

    /// Does the wall clock stand where writes are stopped?
    #[must_use]
    pub fn stopped(&self, clock: &SimClock) -> bool {
        self.clone().next(clock, false).is_none()
    }
}
