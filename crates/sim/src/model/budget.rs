//! How many refusals a principal may have kept, counted apart from the bank's own count.

use std::collections::BTreeMap;

const TOKEN: i128 = 1_000_000;

/// A bucket for each principal.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    rate: i128,
    burst: i128,
    spent: BTreeMap<u32, (i128, i64)>,
}

impl Budget {
    pub(super) fn new(rate: u32, burst: u32) -> Budget {
        Budget { rate: rate.into(), burst: i128::from(burst.max(1)) * TOKEN, spent: BTreeMap::new() }
    }

    /// Full again, as after a restart.
    pub fn refill(&mut self) {
        self.spent.clear();
    }

    /// Takes one, if there is one. Rate 0: always.
    pub(super) fn take(&mut self, principal: u32, now: i64) -> bool {
        if self.rate == 0 {
            return true;
        }
        let (level, at) = self.spent.get(&principal).copied().unwrap_or((self.burst, now));
        let level = (level + i128::from((now - at).max(0)) * self.rate).min(self.burst);
        if level < TOKEN {
            return false;
        }
        self.spent.insert(principal, (level - TOKEN, now.max(at)));
        true
    }
}
