//! How much a principal may ask for: a token bucket each, so that one cannot starve the others.
//!
//! Used twice: for requests, and for refusals that are to be recorded (each takes space for ever, so beyond
//! the budget the answer is 429 and nothing is recorded).
//!
//! Own code rather than `governor`: there, time is a clock object that each limiter owns, not an argument, and
//! the map of keys grows until somebody sweeps it. Here a bucket that has filled up again is the same as no
//! bucket and is dropped when a shard grows, so memory follows the principals that are busy *now*; beyond
//! [`BUSY_MAX`] of them a newcomer waits.
//!
//! Levels are kept in millionths of a token: microseconds × tokens per second, exact in integers. A request
//! for more tokens than the burst passes when the bucket is full and leaves a debt, so the long-run rate holds
//! and a large batch is not refused for ever.

use std::collections::HashMap;

use parking_lot::Mutex;

const SHARDS: usize = 16;
/// Buckets that may be other than full at one time.
pub const BUSY_MAX: usize = 1 << 20;
const SHARD_MAX: usize = BUSY_MAX / SHARDS;
const SWEEP_FIRST: usize = 256;
const TOKEN: i64 = 1_000_000;

/// Come back in so many whole seconds, at least 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("over the quota; try again in {0} s")]
pub struct RetryAfter(pub u32);

/// A rate with a burst, kept for each principal.
pub struct Quota {
    per_second: i64,
    burst: i64,
    shards: [Mutex<Shard>; SHARDS],
}

struct Shard {
    buckets: HashMap<u32, Bucket>,
    sweep_at: usize,
}

#[derive(Clone, Copy)]
struct Bucket {
    level: i64,
    at_us: i64,
}

impl Quota {
    /// `per_second` tokens a second, up to `burst` at once. A rate of 0 means no limit.
    #[must_use]
    pub fn new(per_second: u32, burst: u32) -> Quota {
        let shard = |_| Mutex::new(Shard { buckets: HashMap::new(), sweep_at: SWEEP_FIRST });
        let burst = i64::from(burst.max(1)) * TOKEN;
        Quota { per_second: i64::from(per_second), burst, shards: std::array::from_fn(shard) }
    }

    /// Takes `tokens` for `principal`, or says when to come back. A refusal takes nothing.
    pub fn take(&self, principal: u32, tokens: u32, now_us: i64) -> Result<(), RetryAfter> {
        if self.per_second == 0 || tokens == 0 {
            return Ok(());
        }
        let shard = &mut *self.shards[principal as usize % SHARDS].lock();
        let known = shard.buckets.get(&principal).copied();
        if known.is_none() && !self.make_room(shard, now_us) {
            return Err(RetryAfter(1));
        }
        let bucket = known.unwrap_or(Bucket { level: self.burst, at_us: now_us });
        let level = self.level(bucket, now_us);
        let cost = i64::from(tokens) * TOKEN;
        let missing = cost.min(self.burst) - level;
        if missing > 0 {
            let seconds = missing.unsigned_abs().div_ceil(self.per_second.unsigned_abs() * 1_000_000);
            return Err(RetryAfter(u32::try_from(seconds).unwrap_or(u32::MAX)));
        }
        // A clock that goes back must not fill the bucket twice.
        let at_us = now_us.max(bucket.at_us);
        shard.buckets.insert(principal, Bucket { level: level - cost, at_us });
        Ok(())
    }

    fn level(&self, bucket: Bucket, now_us: i64) -> i64 {
        let elapsed = now_us.saturating_sub(bucket.at_us).max(0);
        bucket.level.saturating_add(elapsed.saturating_mul(self.per_second)).min(self.burst)
    }

    fn make_room(&self, shard: &mut Shard, now_us: i64) -> bool {
        if shard.buckets.len() >= shard.sweep_at {
            shard.buckets.retain(|_, bucket| self.level(*bucket, now_us) < self.burst);
            shard.buckets.shrink_to(SWEEP_FIRST);
            shard.sweep_at = (shard.buckets.len() * 2).clamp(SWEEP_FIRST, SHARD_MAX);
        }
        shard.buckets.len() < SHARD_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: i64 = 1_000_000;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate_holds() {
        let quota = Quota::new(10, 5);
        assert_eq!(quota.take(1, 5, 0), Ok(()));
        assert_eq!(quota.take(1, 1, 0), Err(RetryAfter(1)));
        assert_eq!(quota.take(1, 1, S / 10 - 1), Err(RetryAfter(1)));
        assert_eq!(quota.take(1, 1, S / 10), Ok(()));
        assert_eq!(quota.take(1, 1, S / 10), Err(RetryAfter(1)));
    }

    #[test]
    fn one_principal_does_not_take_from_another() {
        let quota = Quota::new(1, 1);
        assert_eq!(quota.take(1, 1, 0), Ok(()));
        assert_eq!(quota.take(1, 1, 0), Err(RetryAfter(1)));
        assert_eq!(quota.take(2, 1, 0), Ok(()));
        assert_eq!(quota.take(17, 1, 0), Ok(()), "the same shard as 1");
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds_rounded_up() {
        let quota = Quota::new(2, 10);
        assert_eq!(quota.take(1, 10, 0), Ok(()));
        assert_eq!(quota.take(1, 5, 0), Err(RetryAfter(3)));
        assert_eq!(quota.take(1, 5, 3 * S), Ok(()));
    }

    #[test]
    fn a_batch_larger_than_the_burst_passes_when_the_bucket_is_full_and_is_paid_off_later() {
        let quota = Quota::new(10, 10);
        assert_eq!(quota.take(1, 30, 0), Ok(()));
        assert_eq!(quota.take(1, 1, 2 * S), Err(RetryAfter(1)), "20 tokens in debt, 20 came in");
        assert_eq!(quota.take(1, 1, 2 * S + S / 10), Ok(()));
        assert_eq!(quota.take(1, 30, 4 * S), Ok(()), "full again");
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let quota = Quota::new(0, 0);
        assert!((0..1_000).all(|_| quota.take(1, u32::MAX, 0).is_ok()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let quota = Quota::new(1, 1);
        assert_eq!(quota.take(1, 1, 100 * S), Ok(()));
        assert_eq!(quota.take(1, 1, 0), Err(RetryAfter(1)));
        assert_eq!(quota.take(1, 1, 100 * S), Err(RetryAfter(1)));
        assert_eq!(quota.take(1, 1, 101 * S), Ok(()));
        assert_eq!(quota.take(1, 1, i64::MAX), Ok(()), "no overflow");
        assert_eq!(quota.take(1, 1, i64::MIN), Err(RetryAfter(1)));

        let quota = Quota::new(1, 2);
        assert_eq!(quota.take(1, 1, 100 * S), Ok(()));
        assert_eq!(quota.take(1, 1, 0), Ok(()));
        assert_eq!(quota.take(1, 1, 100 * S), Err(RetryAfter(1)), "the 100 s did not pass again");
    }

    #[test]
    fn a_bucket_that_filled_up_again_takes_no_memory() {
        let quota = Quota::new(1, 1);
        for principal in 0..100_000 {
            quota.take(principal, 1, i64::from(principal) * S / 100).unwrap();
        }
        let kept: usize = quota.shards.iter().map(|s| s.lock().buckets.len()).sum();
        assert!(kept <= SHARDS * SWEEP_FIRST, "{kept} buckets kept, 100 principals are busy at a time");
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_together(
            rate in 1u32..1_000, burst in 1u32..1_000,
            steps in prop::collection::vec((0i64..200_000, 1u32..50), 1..200),
        ) {
            let quota = Quota::new(rate, burst);
            let (mut now, mut taken) = (0, 0u64);
            for (pause, tokens) in steps {
                now += pause;
                if quota.take(1, tokens.min(burst), now).is_ok() {
                    taken += u64::from(tokens.min(burst));
                }
            }
            let most = u64::from(burst) + u64::try_from(now).unwrap() * u64::from(rate) / 1_000_000;
            prop_assert!(taken <= most, "{taken} taken, {most} allowed");
        }
    }
}
