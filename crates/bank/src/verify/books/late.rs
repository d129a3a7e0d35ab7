//! Value dates, folded by hand: within their bounds, and what the snapshot should keep of them.

use std::collections::BTreeMap;

use ledger::{Event, Side};

use super::super::findings::{Findings, Subject};

/// How far a value date lies from its booking date at most, and twice that: for how long it is kept.
const BOUND: i32 = 366;
const KEPT: i32 = 2 * BOUND;

/// For each account: booking date and value date, where they differ, with debits less credits.
#[derive(Default)]
pub(in super::super) struct Late {
    accounts: BTreeMap<u64, BTreeMap<(i32, i32), i128>>,
}

impl Late {
    /// Takes a transaction in.
    pub(super) fn add(&mut self, event: &Event, found: &mut Findings) {
        let (booking, value) = (event.booking.0, event.value.0);
        let apart = i64::from(value) - i64::from(booking);
        found.expect(apart.abs() <= i64::from(BOUND), Subject::Days, event.sequence.0, || {
            format!("its value date {} lies too far from its booking date {}", event.value, event.booking)
        });
        if apart == 0 {
            return;
        }
        for entry in event.posted() {
            let sums = self.accounts.entry(entry.account.0).or_default();
            sums.retain(|(booked, _), _| *booked >= booking.saturating_sub(KEPT));
            let amount = i128::from(entry.amount);
            *sums.entry((booking, value)).or_default() +=
                if entry.side == Side::Debit { amount } else { -amount };
        }
    }

    /// Account, booking date, value date and sum, in order: as a snapshot keeps them.
    pub(in super::super) fn sums(&self) -> Vec<(u64, i32, i32, i128)> {
        let all = self.accounts.iter().flat_map(|(account, sums)| {
            sums.iter().map(|((booking, value), sum)| (*account, *booking, *value, *sum))
        });
        all.collect()
    }
}
