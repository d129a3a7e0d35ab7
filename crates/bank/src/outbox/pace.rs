//! How much processor time deliveries may take: all there is, unless the threads of payments wait for a processor.
//!
//! ```text
//!  how long payments' threads waited ─► share (halved while they wait, slowly raised while they do not)
//!                                         └─► a bucket that leaks at that share; workers wait while it is full
//! ```
//! Low priority alone does not keep deliveries out of the way: on few processors a thread of low priority runs whenever
//! another one blocks for a moment, and is in the way when that one comes back. So where payments alone fill the
//! machine, deliveries get [`SHARE_MIN`] of it, and make up for it later. The rule is that of congestion control in
//! TCP (RFC 5681): additive increase, multiplicative decrease.

mod waiting;

use std::cell::Cell;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

use waiting::Waiting;

/// The part of all processors that deliveries get in any case.
const SHARE_MIN: f64 = 0.03;

/// What the share rises by with every look at which payments do not wait.
const RAISE: f64 = 0.03;

/// Payments wait if their threads together wait this part of the time of all processors.
const WAIT_MAX: f64 = 0.4;

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Processor time that may be used at once: a parcel or a few.
const AT_ONCE: Duration = Duration::from_millis(2);

/// How long a worker waits at most before it goes on anyway: each gets its turn, and sees that it should stop.
const TURN_MAX: Duration = Duration::from_millis(100);

thread_local! {
    /// Processor time of this thread when it was last counted.
    static COUNTED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The pace of all workers together.
pub(super) struct Pace {
    processors: f64,
    bucket: Mutex<Bucket>,
}

/// Processor time that was used and has not leaked out yet.
#[derive(Debug)]
struct Bucket {
    share: f64,
    held: Duration,
    at: Instant,
}

impl Pace {
    /// As fast as it goes, until payments wait.
    pub(super) fn new() -> Pace {
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let bucket = Bucket { share: 1.0, held: Duration::ZERO, at: Instant::now() };
        Pace { processors, bucket: Mutex::new(bucket) }
    }

    /// Waits until a worker may go on; counts what its thread has used since it was last counted.
    pub(super) async fn turn(&self) {
        let used = clock_gettime(ClockId::ThreadCPUTime);
        let used = Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs() as u32);
        let since = used.saturating_sub(COUNTED.replace(used));
        let wait = self.bucket.lock().pour(since, self.processors, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait.min(TURN_MAX)).await;
        }
    }

    /// The part of all processors that deliveries may take now, up to 1.
    pub(super) fn share(&self) -> f64 {
        self.bucket.lock().share
    }

    /// Looks at how payments do, for ever. While the system does not say, the share is 1.
    pub(super) async fn keep(&self, polite: i32) {
        let mut waiting = Waiting::new(polite);
        let mut looked = Instant::now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let waited = waiting.since_last_look();
            let elapsed = looked.elapsed().as_secs_f64();
            looked = Instant::now();
            let mut bucket = self.bucket.lock();
            bucket.share = match waited {
                Some(waited) => next_share(bucket.share, waited.as_secs_f64() / (elapsed * self.processors)),
                None => 1.0,
            };
        }
    }
}

/// The share after a look at which payments waited this part of the time of all processors.
fn next_share(share: f64, waited: f64) -> f64 {
    if waited > WAIT_MAX { (share / 2.0).max(SHARE_MIN) } else { (share + RAISE).min(1.0) }
}

impl Bucket {
    /// Takes in processor time; answers how long to wait until no more than [`AT_ONCE`] of it is left.
    fn pour(&mut self, used: Duration, processors: f64, now: Instant) -> Duration {
        let leak = self.share * processors;
        let leaked = now.saturating_duration_since(self.at).mul_f64(leak);
        self.at = now;
        self.held = self.held.saturating_sub(leaked) + used;
        self.held.saturating_sub(AT_ONCE).div_f64(leak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within half a second deliveries are nearly out of the way; where nobody waits, all is given back within four.
    #[test]
    fn the_share_falls_fast_and_comes_back_slowly_and_is_never_nothing() {
        let looks = |share: f64, waited: f64| {
            let each = std::iter::successors(Some(share), |share| Some(next_share(*share, waited)));
            each.clone().zip(each.skip(1)).position(|(before, after)| before == after)
        };
        assert_eq!(next_share(1.0, WAIT_MAX), 1.0, "a little waiting is nothing");
        assert_eq!(next_share(1.0, WAIT_MAX + 0.01), 0.5);
        assert_eq!(next_share(SHARE_MIN, 3.0), SHARE_MIN);
        assert_eq!(looks(1.0, 2.0), Some(6));
        assert_eq!(looks(SHARE_MIN, 0.0), Some(33));
    }

    /// Of a second in which it works whenever it may, a worker gets its share of each processor and what it may use at once.
    #[test]
    fn over_time_no_more_is_used_than_the_share() {
        for (share, processors) in [(0.03, 2.0), (0.5, 2.0), (0.03, 16.0)] {
            let mut now = Instant::now();
            let end = now + Duration::from_secs(1);
            let mut bucket = Bucket { share, held: Duration::ZERO, at: now };
            let (parcel, mut used) = (Duration::from_micros(700), Duration::ZERO);
            while now < end {
                now += parcel;
                used += parcel;
                now += bucket.pour(parcel, processors, now);
            }
            let wanted = share * processors;
            let part = (used - AT_ONCE).as_secs_f64();
            assert!((part - wanted.min(1.0)).abs() < 0.02, "{part} of {wanted}");
        }
    }

    #[test]
    fn with_all_of_the_machine_nobody_waits() {
        let now = Instant::now();
        let mut bucket = Bucket { share: 1.0, held: Duration::ZERO, at: now };
        for millis in 1..100 {
            let now = now + Duration::from_millis(millis);
            assert_eq!(bucket.pour(Duration::from_millis(1), 1.0, now), Duration::ZERO);
        }
    }
}
