//! What can be seen of a subscription while it runs: how far it is, how it does, its newest attempts.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::progress::Tried;

/// Attempts that are remembered of each subscription, those that succeeded too.
const REMEMBERED: usize = 100;

/// What a running subscription shows.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Now>);

/// How a subscription stands.
#[derive(Clone, Debug, Default)]
pub struct Now {
    /// The time of the oldest event that is not delivered, microseconds since 1970.
    pub oldest_us: Option<i64>,
    /// Events that are held, parked ones included.
    pub undone: usize,
    /// Events on their way.
    pub in_flight: usize,
    /// Since when nothing gets through, microseconds since 1970.
    pub down_since_us: Option<i64>,
    /// Events delivered since the start.
    pub delivered: u64,
    /// Attempts that failed since the start.
    pub failed: u64,
    /// The newest attempts, the newest last.
    pub tried: VecDeque<Tried>,
}

impl Seen {
    /// As it stands.
    #[must_use]
    pub fn now(&self) -> Now {
        self.0.lock().clone()
    }

    /// Events delivered, and attempts that failed, since the start.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let now = self.0.lock();
        (now.delivered, now.failed)
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.0.lock());
    }
}

impl Now {
    pub(super) fn remember(&mut self, tried: Tried) {
        if self.tried.len() == REMEMBERED {
            self.tried.pop_front();
        }
        self.tried.push_back(tried);
    }
}
