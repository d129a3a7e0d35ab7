//! Open holds, folded by hand: placed once, ended once, and released by exactly what was held.

use std::collections::BTreeMap;

use ledger::{Effect, Entry, Event};

use super::super::findings::{Findings, Subject};
use super::Account;

/// A hold that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Hold {
    pub(in super::super) account: u64,
    pub(in super::super) side: u8,
    /// Who is promised the funds; 0 if the hold does not say.
    pub(in super::super) to: u64,
    pub(in super::super) amount: i64,
    pub(in super::super) currency: u16,
    pub(in super::super) expires_at: i64,
}

/// The open holds.
#[derive(Default)]
pub(in super::super) struct Holds {
    pub(in super::super) open: BTreeMap<u64, Hold>,
}

impl Holds {
    pub(super) fn place(&mut self, event: &Event, expires_at: i64, found: &mut Findings) {
        found.checked(Subject::Holds);
        let ends: Vec<&Entry> = event.entries.iter().filter(|entry| entry.effect == Effect::Held).collect();
        let (first, second) = match ends[..] {
            [first] => (first, None),
            [first, second] => (first, Some(second)),
            _ => {
                return found.wrong(Subject::Holds, event.sequence.0, "a hold has one or two ends".into());
            }
        };
        let mirrored = second.is_none_or(|second| {
            (second.side, second.amount, second.currency)
                == (first.side.opposite(), first.amount, first.currency)
        });
        found.expect(mirrored, Subject::Holds, event.sequence.0, || "its two ends differ".into());
        let hold = Hold {
            account: first.account.0,
            side: first.side as u8,
            to: second.map_or(0, |second| second.account.0),
            amount: first.amount,
            currency: first.currency.numeric(),
            expires_at,
        };
        self.open.insert(event.sequence.0, hold);
    }

    /// Ends a hold; what was released must be what was held.
    pub(super) fn end(&mut self, id: u64, event: &Event, found: &mut Findings) -> Option<Hold> {
        let sequence = event.sequence.0;
        let Some(hold) = self.open.remove(&id) else {
            found.wrong(Subject::Holds, sequence, format!("hold {id} is ended and was not open"));
            return None;
        };
        let released = event.entries.iter().filter(|entry| entry.effect == Effect::Released);
        let says: Vec<_> = released.map(|entry| (entry.account.0, entry.side as u8, entry.amount)).collect();
        let mut due = vec![(hold.account, hold.side, hold.amount)];
        if hold.to != 0 {
            due.push((hold.to, 1 - hold.side, hold.amount));
        }
        found.expect(says == due, Subject::Holds, sequence, || {
            format!("hold {id} is released by {says:?} (account, side, amount) and held {due:?}")
        });
        Some(hold)
    }

    /// What each account holds must be the sum of its open holds.
    pub(super) fn settle(&self, accounts: &[Account], found: &mut Findings) {
        let mut sums: BTreeMap<(u64, u8), (i128, u32)> = BTreeMap::new();
        let mut add = |account, side, amount: i64| {
            let (sum, count) = sums.entry((account, side)).or_default();
            *sum += i128::from(amount);
            *count += 1;
        };
        for hold in self.open.values() {
            add(hold.account, hold.side, hold.amount);
            if hold.to != 0 {
                add(hold.to, 1 - hold.side, hold.amount);
            }
        }
        for (account, id) in accounts.iter().zip(1..) {
            let mut open = 0;
            for side in 0..2u8 {
                let (sum, count) = sums.remove(&(id, side)).unwrap_or_default();
                open += count;
                let holding = account.holding(usize::from(side));
                found.expect(sum == holding, Subject::Holds, account.last, || {
                    format!("account {id} holds {holding} minor units, its open holds make {sum}")
                });
            }
            found.expect(open == account.open_holds, Subject::Holds, account.last, || {
                format!("account {id} has {} open ends of holds, the holds make {open}", account.open_holds)
            });
        }
    }
}
