//! When not to ask: a circuit breaker and a budget for repetitions, one of each a rail.
//!
//! A rail that is down gets one question every so often instead of all of them, and what is asked again never
//! crowds out what is asked for the first time. Time comes in with each call, so both are tested without waiting.

/// Failures in a row that open the breaker.
pub const FAILURES_MAX: u32 = 5;
/// Questions that are let through when it has been open long enough. With one alone, a rail that fails every other time
/// would be shut out for a minute again and again.
const PROBES: u32 = 3;
/// How long it stays open at first, and at most, µs. It doubles with every round of probes that fails.
const OPEN_FIRST_US: i64 = 250_000;
const OPEN_MOST_US: i64 = 60_000_000;

/// Repetitions that can be saved up.
const SAVED_MAX: f64 = 100.0;
/// How many repetitions a first question earns, and how many a second gives in any case.
const EARNED: f64 = 0.2;
const PER_SECOND: f64 = 10.0;

/// Closed: ask. Open: do not. Half-open: a few may ask, and one answer closes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Breaker {
    failures: u32,
    opened: u32,
    until_us: i64,
    /// Probes of this round that may still be sent, and those that are out.
    left: u32,
    out: u32,
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
        if now_us >= self.until_us {
            // A new round. If nothing is ever heard of its probes, the next one comes after another pause.
            (self.until_us, self.left, self.out) = (now_us + self.pause(), PROBES, 0);
        }
        if self.left == 0 {
            return Err(self.until_us);
        }
        self.left -= 1;
        self.out += 1;
        Ok(())
    }

    /// A question was answered.
    pub fn answered(&mut self) {
        *self = Breaker::default();
    }

    /// A question was not answered. While it is open only probes count: what was under way when it opened says
    /// nothing new, and many at once would make one bad moment a long one.
    pub fn failed(&mut self, now_us: i64) {
        if self.failures < FAILURES_MAX {
            self.failures += 1;
            if self.failures < FAILURES_MAX {
                return;
            }
        } else if self.out == 0 {
            return;
        } else {
            self.out -= 1;
            if self.out > 0 || self.left > 0 {
                return;
            }
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

    /// A breaker that has just opened, at 0.
    fn open() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.admit(0), Ok(()));
            breaker.failed(0);
        }
        breaker
    }

    #[test]
    fn the_breaker_opens_at_its_bound_and_lets_a_few_probes_through() {
        let mut breaker = open();
        assert_eq!(breaker.admit(OPEN_FIRST_US - 1), Err(OPEN_FIRST_US));
        for _ in 0..PROBES {
            assert_eq!(breaker.admit(OPEN_FIRST_US), Ok(()), "a probe");
        }
        assert!(breaker.admit(OPEN_FIRST_US).is_err(), "and no more");
        breaker.failed(OPEN_FIRST_US);
        breaker.answered();
        assert_eq!(breaker.admit(OPEN_FIRST_US), Ok(()), "one answer closes it");
    }

    #[test]
    fn each_round_that_fails_doubles_the_pause_up_to_a_bound() {
        let mut breaker = open();
        let mut now = 0;
        for quarters in [1, 2, 4, 8, 16, 32, 64, 128, 240, 240] {
            assert_eq!(breaker.admit(now), Err(now + quarters * S / 4));
            now += quarters * S / 4;
            for _ in 0..PROBES {
                assert_eq!(breaker.admit(now), Ok(()));
            }
            (0..PROBES).for_each(|_| breaker.failed(now));
        }
    }

    #[test]
    fn probes_of_which_nothing_is_ever_heard_do_not_shut_the_rail_out() {
        let mut breaker = open();
        for _ in 0..PROBES {
            assert_eq!(breaker.admit(OPEN_FIRST_US), Ok(()));
        }
        let next = breaker.admit(OPEN_FIRST_US).unwrap_err();
        assert_eq!(breaker.admit(next), Ok(()));
    }

    /// Thirty questions that were under way when a rail stumbled once made it an outage of a minute.
    #[test]
    fn what_was_under_way_when_it_opened_does_not_lengthen_the_pause() {
        let mut breaker = Breaker::default();
        (0..30).for_each(|_| breaker.failed(0));
        assert_eq!(breaker.admit(0), Err(OPEN_FIRST_US));
        assert_eq!(breaker.admit(OPEN_FIRST_US), Ok(()));
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
