//! When not to ask: a circuit breaker and a budget for repetitions, one of each a rail.
//!
//! A rail that is down gets one question every so often instead of all of them, and what is asked again never
//! crowds out what is asked for the first time. Time comes in with each call, so both are tested without waiting.

/// Failures in a row that open the breaker.
pub const FAILURES_MAX: u32 = 5;
/// How long it stays open at first, and at most, µs. It doubles with every probe that fails.
const OPEN_FIRST_US: i64 = 1_000_000;
const OPEN_MOST_US: i64 = 60_000_000;

/// Repetitions that can be saved up.
const SAVED_MAX: f64 = 100.0;
/// How many repetitions a first question earns, and how many a second gives in any case.
const EARNED: f64 = 0.2;
const PER_SECOND: f64 = 10.0;

/// Closed: ask. Open: do not. Half-open: one may ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Breaker {
    failures: u32,
    opened: u32,
    until_us: i64,
    probing: bool,
}

impl Breaker {
    /// Whether a question may be asked now.
    ///
    /// # Errors
    /// The time before which none may, µs.
    pub fn admit(&mut self, now_us: i64) -> Result<(), i64> {
        if self.failures < FAILURES_MAX {
            return Ok(());
        }
        if now_us < self.until_us {
            return Err(self.until_us);
        }
        // The probe: the next one waits until it is known what came of this one.
        self.until_us = now_us + self.pause();
        self.probing = true;
        Ok(())
    }

    /// A question was answered.
    pub fn answered(&mut self) {
        *self = Breaker::default();
    }

    /// A question was not answered. While it is open only the probe counts: what was under way when it opened says
    /// nothing new, and many at once would make one bad moment a long one.
    pub fn failed(&mut self, now_us: i64) {
        if self.failures < FAILURES_MAX {
            self.failures += 1;
            if self.failures < FAILURES_MAX {
                return;
            }
        } else if !std::mem::take(&mut self.probing) {
            return;
        }
        self.until_us = now_us + self.pause();
        self.opened = self.opened.saturating_add(1);
    }

    fn pause(&self) -> i64 {
        OPEN_FIRST_US.saturating_mul(1 << self.opened.min(10)).min(OPEN_MOST_US)
    }
}

/// How much may be asked again.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Budget {
    saved: f64,
    at_us: i64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { saved: SAVED_MAX, at_us: 0 }
    }
}

impl Budget {
    /// A question; `again` if it repeats one that was not answered.
    ///
    /// # Errors
    /// The time before which it may not be repeated, µs.
    pub fn take(&mut self, again: bool, now_us: i64) -> Result<(), i64> {
        let passed = (now_us - self.at_us).max(0) as f64 / 1e6;
        self.at_us = self.at_us.max(now_us);
        self.saved = (self.saved + passed * PER_SECOND).min(SAVED_MAX);
        if !again {
            self.saved = (self.saved + EARNED).min(SAVED_MAX);
            return Ok(());
        }
        if self.saved < 1.0 {
            return Err(now_us + ((1.0 - self.saved) / PER_SECOND * 1e6).ceil() as i64);
        }
        self.saved -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;

    #[test]
    fn the_breaker_opens_at_its_bound_and_lets_one_probe_through() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.admit(0), Ok(()));
            breaker.failed(0);
        }
        assert_eq!(breaker.admit(S - 1), Err(S));
        assert_eq!(breaker.admit(S), Ok(()), "the probe");
        assert!(breaker.admit(S).is_err(), "and no second one");
        breaker.answered();
        assert_eq!(breaker.admit(S), Ok(()));
    }

    #[test]
    fn each_probe_that_fails_doubles_the_pause_up_to_a_bound() {
        let mut breaker = Breaker::default();
        let mut now = 0;
        (0..FAILURES_MAX).for_each(|_| breaker.failed(now));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(breaker.admit(now), Err(now + seconds * S));
            now += seconds * S;
            assert_eq!(breaker.admit(now), Ok(()));
            breaker.failed(now);
        }
    }

    /// Thirty questions that were under way when a rail stumbled once made it an outage of a minute.
    #[test]
    fn what_was_under_way_when_it_opened_does_not_lengthen_the_pause() {
        let mut breaker = Breaker::default();
        (0..30).for_each(|_| breaker.failed(0));
        assert_eq!(breaker.admit(0), Err(S));
        assert_eq!(breaker.admit(S), Ok(()));
    }

    #[test]
    fn repetitions_never_exceed_what_was_saved_and_first_questions_always_pass() {
        let mut budget = Budget::default();
        assert_eq!((0..1_000).filter(|_| budget.take(true, 0).is_ok()).count(), 100);
        assert_eq!(budget.take(true, 0), Err(S / 10));
        assert_eq!(budget.take(true, S / 10), Ok(()));
        assert!((0..1_000).all(|_| budget.take(false, S / 10).is_ok()));
        assert_eq!((0..1_000).filter(|_| budget.take(true, S / 10).is_ok()).count(), 100);
    }
}
