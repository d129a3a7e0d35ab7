//! When to try again, and when to give up: pure.
//!
//! Two things fail in different ways. An **event** that a subscriber does not take while it takes others is tried
//! again at growing intervals over days, and then becomes a dead letter. A **subscriber** that takes nothing is
//! down: one event at a time is tried until one gets through, nothing becomes a dead letter, and nothing is read
//! ahead for it; the books keep everything.

use std::time::Duration;

/// Tries of one event before it is a dead letter: some four days.
pub const ATTEMPTS_MAX: u32 = 13;

/// A subscriber that is back is tried again at once with what failed up to so often: more can hardly have been the
/// subscriber's fault. One that takes only some kinds goes down and comes back for ever, and each time would cost all that it
/// does not take one of their tries.
pub const HASTENED_MAX: u32 = 3;

/// Failures in a row, without any success between them, after which a subscriber counts as down.
pub const DOWN_AFTER: u32 = 10;

/// A subscriber that was down for so long is disabled, where that is for somebody else to mend.
pub const DISABLED_AFTER: Duration = Duration::from_secs(5 * 86_400);

/// A subscriber's wish to wait is heard up to here.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

const EVENT_FIRST: Duration = Duration::from_secs(5);
const EVENT_MOST: Duration = Duration::from_secs(86_400);
const PROBE_FIRST: Duration = Duration::from_millis(500);
const PROBE_MOST: Duration = Duration::from_secs(600);

/// How long an event waits that has failed so often: 5 s, 15 s, 45 s, … a day; a fifth less or more by `luck`, from
/// 0 to 1, so that not all come back in one moment.
#[must_use]
pub fn event_wait(attempts: u32, luck: f64) -> Duration {
    grown(EVENT_FIRST, 3, attempts, EVENT_MOST).mul_f64(0.8 + 0.4 * luck.clamp(0.0, 1.0))
}

/// How a subscriber does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Health {
    failures: u32,
    /// Tries since it is down, those that were on their way already counting as one.
    probes: u32,
    down_since_us: Option<i64>,
    /// Nothing goes out before this, microseconds since 1970.
    not_before_us: i64,
}

/// What a failure means for an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It is tried again then, microseconds since 1970; how often it has failed.
    Again {
        /// Failures that count.
        attempts: u32,
        /// When.
        due_us: i64,
    },
    /// It is a dead letter.
    GiveUp,
}

impl Health {
    /// May something go out, with so many out already?
    #[must_use]
    pub fn may_send(&self, in_flight: usize, now_us: i64) -> bool {
        now_us >= self.not_before_us && (self.down_since_us.is_none() || in_flight == 0)
    }

    /// Nothing goes out before this, microseconds since 1970.
    #[must_use]
    pub fn not_before_us(&self) -> i64 {
        self.not_before_us
    }

    /// Since when nothing gets through.
    #[must_use]
    pub fn down_since_us(&self) -> Option<i64> {
        self.down_since_us
    }

    /// Something got through; true if the subscriber was down until now.
    pub fn succeeded(&mut self) -> bool {
        std::mem::take(self).down_since_us.is_some()
    }

    /// Something did not get through that had failed `attempts` times before; the subscriber may have said after
    /// how long it wants more.
    pub fn failed(&mut self, attempts: u32, wish: Option<Duration>, luck: f64, now_us: i64) -> Verdict {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= DOWN_AFTER && self.down_since_us.is_none() {
            self.down_since_us = Some(now_us);
        }
        let wish = wish.map(|wish| wish.min(RETRY_AFTER_MAX));
        if let Some(wish) = wish {
            self.not_before_us = self.not_before_us.max(after(now_us, wish));
        }
        if self.down_since_us.is_some() {
            // It says nothing about the event that a subscriber takes nothing at all.
            if now_us >= self.not_before_us {
                self.probes = self.probes.saturating_add(1);
                let wait = grown(PROBE_FIRST, 2, self.probes, PROBE_MOST).mul_f64(0.8 + 0.4 * luck);
                self.not_before_us = after(now_us, wait);
            }
            return Verdict::Again { attempts: attempts.max(1), due_us: self.not_before_us };
        }
        let attempts = attempts + 1;
        if attempts >= ATTEMPTS_MAX {
            return Verdict::GiveUp;
        }
        let wait = event_wait(attempts, luck).max(wish.unwrap_or_default());
        Verdict::Again { attempts, due_us: after(now_us, wait) }
    }
}

fn after(now_us: i64, wait: Duration) -> i64 {
    now_us.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
}

/// `first`, times `factor` with each step after the first, at most `most`.
fn grown(first: Duration, factor: u32, step: u32, most: Duration) -> Duration {
    let grown = factor.checked_pow(step.saturating_sub(1)).and_then(|times| first.checked_mul(times));
    grown.map_or(most, |wait| wait.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn an_event_is_tried_over_days_and_then_given_up() {
        let mut health = Health::default();
        let (mut now, mut attempts, mut waits) = (0, 0, Vec::new());
        loop {
            // Others get through in between, so it is this event's own fault.
            health.succeeded();
            match health.failed(attempts, None, 0.5, now) {
                Verdict::Again { attempts: failed, due_us } => {
                    assert_eq!(failed, attempts + 1);
                    waits.push((due_us - now) / SECOND);
                    (attempts, now) = (failed, due_us);
                }
                Verdict::GiveUp => break,
            }
        }
        assert_eq!(waits, [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 32_805, 86_400, 86_400, 86_400]);
        assert_eq!(attempts + 1, ATTEMPTS_MAX);
    }

    #[test]
    fn the_wait_differs_by_a_fifth() {
        assert_eq!(event_wait(1, 0.0), Duration::from_secs(4));
        assert_eq!(event_wait(1, 1.0), Duration::from_secs(6));
    }

    #[test]
    fn a_subscriber_that_takes_nothing_is_down_and_no_event_is_given_up_for_it() {
        let mut health = Health::default();
        let mut now = 0;
        for failure in 1..=200_u32 {
            assert!(health.may_send(0, now));
            let Verdict::Again { attempts, due_us } = health.failed(1, None, 0.5, now) else {
                panic!("given up after {failure}")
            };
            assert_eq!(health.down_since_us().is_some(), failure >= DOWN_AFTER);
            if failure >= DOWN_AFTER {
                assert_eq!(attempts, 1);
                assert!(!health.may_send(0, due_us - 1) && !health.may_send(1, due_us), "one at a time");
                assert!(due_us - now <= 601 * SECOND);
                now = due_us;
            }
        }
        assert!(health.succeeded(), "it was down until now");
        assert!(health.may_send(63, now));
        assert!(!health.succeeded());
    }

    #[test]
    fn what_was_on_its_way_when_it_went_down_does_not_make_the_wait_longer() {
        let mut health = Health::default();
        for _ in 0..64 {
            health.failed(0, None, 0.5, 0);
        }
        assert_eq!(health.not_before_us(), SECOND / 2);
        health.failed(1, None, 0.5, SECOND / 2);
        assert_eq!(health.not_before_us(), SECOND / 2 + SECOND);
    }

    #[test]
    fn a_wish_to_wait_is_heard_up_to_a_day() {
        let mut health = Health::default();
        let wish = Duration::from_secs(90);
        let verdict = health.failed(0, Some(wish), 0.5, 0);
        assert_eq!(verdict, Verdict::Again { attempts: 1, due_us: 90 * SECOND });
        assert!(!health.may_send(0, 90 * SECOND - 1));
        assert!(health.may_send(0, 90 * SECOND));
        health.failed(0, Some(Duration::from_secs(1 << 40)), 0.5, 0);
        assert_eq!(health.not_before_us(), 86_400 * SECOND);
    }
}
