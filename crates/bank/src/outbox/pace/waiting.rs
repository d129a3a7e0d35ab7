//! How long this process's threads of ordinary priority have waited for a processor, as Linux counts it
//! (`/proc/PID/task/TID/schedstat`, second number; documented with the kernel under "scheduler statistics").

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The threads' accounts as of the last look.
pub(super) struct Waiting {
    /// Threads this polite or more do not count.
    polite: i32,
    /// What each had waited.
    seen: HashMap<u32, Duration>,
}

impl Waiting {
    /// Of threads that are less polite (of lower niceness) than `polite`.
    pub(super) fn new(polite: i32) -> Waiting {
        let mut waiting = Waiting { polite, seen: HashMap::new() };
        waiting.since_last_look();
        waiting
    }

    /// How long they have waited since, all together. None where the system does not count it.
    pub(super) fn since_last_look(&mut self) -> Option<Duration> {
        let mut now = HashMap::with_capacity(self.seen.len());
        let mut sum = Duration::ZERO;
        for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
            let Some(id) = thread.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let read = |what: &str| fs::read_to_string(thread.path().join(what)).ok();
            // Threads end while they are looked at.
            let (Some(stat), Some(schedstat)) = (read("stat"), read("schedstat")) else { continue };
            if niceness(&stat)? >= self.polite {
                continue;
            }
            let waited = waited(&schedstat)?;
            sum += waited.saturating_sub(*self.seen.get(&id).unwrap_or(&waited));
            now.insert(id, waited);
        }
        self.seen = now;
        Some(sum)
    }
}

/// Field 19 of `stat`; the name, field 2, may hold spaces and brackets.
fn niceness(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(16)?.parse().ok()
}

/// Nanoseconds in a queue: the second number.
fn waited(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    #[test]
    fn fields_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 5 6 0 0 20 10 12 0 99 1000 1";
        assert_eq!(niceness(stat), Some(10));
        assert_eq!(waited("1200 3400 5\n"), Some(Duration::from_nanos(3400)));
        assert_eq!((niceness("7 (a"), waited("12")), (None, None));
    }

    /// Twice as many threads as processors, all at work: somebody waits, and a thread that is polite is not counted.
    #[test]
    fn threads_that_wait_for_a_processor_are_seen() {
        let mut all = Waiting::new(20);
        let mut none = Waiting::new(-20);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 * std::thread::available_parallelism().unwrap().get() {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        std::hint::spin_loop()
                    }
                });
            }
            all.since_last_look();
            let began = Instant::now();
            let mut waited = Duration::ZERO;
            while waited < Duration::from_millis(20) && began.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(50));
                waited += all.since_last_look().expect("Linux counts");
            }
            done.store(true, Ordering::Relaxed);
            assert!(waited >= Duration::from_millis(20), "only {waited:?}");
        });
        assert_eq!(none.since_last_look(), Some(Duration::ZERO));
    }
}
