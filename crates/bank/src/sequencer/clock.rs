//! Time: one stamp a batch, never going backwards, and no leap that nobody looked at.
//!
//! A clock that is a year ahead would expire every hold and book on a day that is not there; both would stay
//! in the journal for ever. So a wall clock that runs ahead of the monotonic one by more than a bound stops
//! writes until an operator has confirmed it. A clock that falls back is waited out: the stamp stands still.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from. The one seam: tests and the simulator bring their own.
pub trait Clock: Send + 'static {
    /// Wall clock, microseconds since 1970, UTC.
    fn wall(&mut self) -> i64;
    /// A clock that only goes forward, in microseconds from anywhere.
    fn monotonic(&mut self) -> i64;
}

/// The machine's clocks.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Starts the monotonic clock at zero.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // The seam itself.
    pub fn new() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // The seam itself.
    fn wall(&mut self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    fn monotonic(&mut self) -> i64 {
        self.start.elapsed().as_micros() as i64
    }
}

/// The wall clock ran ahead of the monotonic one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockJumped {
    /// By how many seconds.
    pub seconds: u64,
}

/// Makes the stamps of batches.
pub struct Stamp<C> {
    clock: C,
    bound_us: i64,
    last: i64,
    anchor: Option<(i64, i64)>,
}

impl<C: Clock> Stamp<C> {
    /// Stamps after `last` (the time of the newest event); a leap of more than `bound_us` stops them.
    pub fn new(clock: C, last: i64, bound_us: i64) -> Self {
        Stamp { clock, bound_us, last, anchor: None }
    }

    /// The time of the next batch.
    ///
    /// # Errors
    /// [`ClockJumped`] until [`Stamp::confirm`].
    pub fn stamp(&mut self) -> Result<i64, ClockJumped> {
        let (wall, monotonic) = (self.clock.wall(), self.clock.monotonic());
        let (anchor_wall, anchor_monotonic) = *self.anchor.get_or_insert((wall, monotonic));
        let estimate = anchor_wall + (monotonic - anchor_monotonic);
        if wall - estimate > self.bound_us {
            return Err(ClockJumped { seconds: ((wall - estimate) / 1_000_000) as u64 });
        }
        // Small corrections are followed, so that they do not add up to a leap over the years.
        self.anchor = Some((wall, monotonic));
        self.last = self.last.max(wall);
        Ok(self.last)
    }

    /// An operator has looked: the wall clock is right.
    pub fn confirm(&mut self) {
        self.anchor = None;
    }

    /// Microseconds of wall clock until `time`; zero if it has come.
    pub fn until(&mut self, time: i64) -> u64 {
        (time - self.clock.wall()).max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hands(Vec<(i64, i64)>);

    impl Clock for Hands {
        fn wall(&mut self) -> i64 {
            self.0[0].0
        }
        fn monotonic(&mut self) -> i64 {
            self.0.remove(0).1
        }
    }

    const YEAR: i64 = 365 * 86_400_000_000;

    #[test]
    fn a_clock_that_jumps_a_year_stops_the_stamps_until_confirmed() {
        let clock =
            Hands(vec![(1_000, 0), (2_000, 1_000), (YEAR, 2_000), (YEAR + 1, 2_001), (YEAR + 5, 2_005)]);
        let mut stamp = Stamp::new(clock, 0, 300_000_000);
        assert_eq!(stamp.stamp(), Ok(1_000));
        assert_eq!(stamp.stamp(), Ok(2_000));
        assert!(stamp.stamp().is_err());
        assert!(stamp.stamp().is_err(), "waiting does not make it right");
        stamp.confirm();
        assert_eq!(stamp.stamp(), Ok(YEAR + 5));
    }

    #[test]
    fn a_clock_that_falls_back_stands_still() {
        let clock = Hands(vec![(5_000, 0), (1_000, 10), (4_000, 20), (6_000, 30)]);
        let mut stamp = Stamp::new(clock, 0, 300_000_000);
        let stamps: Vec<_> = (0..4).map(|_| stamp.stamp().unwrap()).collect();
        assert_eq!(stamps, [5_000, 5_000, 5_000, 6_000]);
    }

    #[test]
    fn time_goes_on_from_the_newest_event_after_a_restart() {
        let mut stamp = Stamp::new(Hands(vec![(10, 0)]), 99, 300_000_000);
        assert_eq!(stamp.stamp(), Ok(99));
    }
}
