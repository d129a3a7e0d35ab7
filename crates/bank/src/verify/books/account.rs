//! One account, folded by hand.

use ledger::{AccountType, Effect, Entry, Side, Status};

use super::super::findings::{Findings, Subject};

/// What the entries of an account add up to.
pub(in super::super) struct Account {
    pub(in super::super) kind: AccountType,
    pub(in super::super) currency: u16,
    pub(in super::super) owner: u32,
    pub(in super::super) status: Status,
    pub(in super::super) limit: i64,
    pub(in super::super) opened: u64,
    /// Debits and credits.
    pub(in super::super) posted: [u128; 2],
    pub(in super::super) held: [u128; 2],
    pub(in super::super) released: [u128; 2],
    /// Ends of holds on this account that were not released yet.
    pub(in super::super) open_holds: u32,
    pub(in super::super) version: u64,
    pub(in super::super) last: u64,
    /// The newest events at versions that 64, 4,096 and 262,144 divide.
    pub(in super::super) marks: [u64; 3],
    /// Version, link and skip that every entry of the event `last` carries.
    current: (u64, u64, u64),
}

impl Account {
    pub(super) fn new(opening: &ledger::event::Opening, opened: u64) -> Account {
        Account {
            kind: opening.account_type,
            currency: opening.currency.numeric(),
            owner: opening.owner.0,
            status: opening.status,
            limit: opening.overdraft_limit,
            opened,
            posted: [0; 2],
            held: [0; 2],
            released: [0; 2],
            open_holds: 0,
            version: 0,
            last: 0,
            marks: [0; 3],
            current: (0, 0, 0),
        }
    }

    /// The ledger balance on the normal side.
    pub(in super::super) fn balance(&self) -> i128 {
        let [debits, credits] = self.posted.map(|total| total as i128);
        match self.kind {
            AccountType::Asset | AccountType::Expense => debits - credits,
            AccountType::Liability | AccountType::Equity | AccountType::Income => credits - debits,
        }
    }

    /// What is held on a side now.
    pub(in super::super) fn holding(&self, side: usize) -> i128 {
        self.held[side] as i128 - self.released[side] as i128
    }

    /// Balance less reserved funds plus overdraft.
    fn available(&self) -> i128 {
        let shrinking = match self.kind {
            AccountType::Asset | AccountType::Expense => Side::Credit,
            AccountType::Liability | AccountType::Equity | AccountType::Income => Side::Debit,
        };
        self.balance() - self.holding(shrinking as usize) + i128::from(self.limit)
    }

    /// Folds an entry in and says what it should have been.
    pub(super) fn fold(&mut self, entry: &Entry, sequence: u64, skips: bool, found: &mut Findings) {
        let id = entry.account;
        self.link(entry, sequence, skips, found);
        let amount = entry.amount.max(0) as u128;
        let side = entry.side as usize;
        match entry.effect {
            Effect::Posted => self.posted[side] += amount,
            Effect::Held => {
                self.held[side] += amount;
                self.open_holds += 1;
            }
            Effect::Released => {
                self.released[side] += amount;
                self.open_holds = self.open_holds.saturating_sub(1);
            }
            Effect::Touched => {}
        }
        let fits = if entry.effect == Effect::Touched { entry.amount == 0 } else { entry.amount > 0 };
        found.expect(fits, Subject::Transactions, sequence, || {
            format!("the amount on account {id} is {}", entry.amount)
        });
        found.expect(entry.currency.numeric() == self.currency, Subject::Accounts, sequence, || {
            format!("the entry on account {id} is in another currency ({})", entry.currency)
        });
        found.checked(Subject::Balances);
        found.expect(i128::from(entry.balance_after) == self.balance(), Subject::Balances, sequence, || {
            let claimed = entry.balance_after;
            format!(
                "account {id} is said to stand at {claimed} minor units, its entries make {}",
                self.balance()
            )
        });
        found.expect(self.released[side] <= self.held[side], Subject::Holds, sequence, || {
            format!("account {id} released more than it held")
        });
        let closed = self.status == Status::Closed && entry.effect != Effect::Touched;
        found.expect(!closed, Subject::Accounts, sequence, || format!("an entry on the closed account {id}"));
    }

    /// Version, link to the previous event, skip pointer; the same for all entries of one event.
    fn link(&mut self, entry: &Entry, sequence: u64, skips: bool, found: &mut Findings) {
        if self.last != sequence {
            self.current = (self.version + 1, self.last, 0);
            (self.version, self.last) = (self.version + 1, sequence);
            for (mark, distance) in self.marks.iter_mut().zip([64, 4_096, 262_144]) {
                if self.version.is_multiple_of(distance) {
                    self.current.2 = std::mem::replace(mark, sequence);
                }
            }
        }
        let skip = if skips { entry.skip.0 } else { self.current.2 };
        let says = (entry.version, entry.previous.0, skip);
        found.checked(Subject::History);
        found.expect(says == self.current, Subject::History, sequence, || {
            format!(
                "account {}: version, link and skip are {says:?} and should be {:?}",
                entry.account, self.current
            )
        });
    }

    /// What must hold once an event is complete.
    pub(super) fn settled(&self, id: u64, sequence: u64, found: &mut Findings) {
        found.expect(self.available() >= 0, Subject::Balances, sequence, || {
            format!("account {id} stands {} minor units below its floor", -self.available())
        });
        let empty = self.balance() == 0 && self.holding(0) == 0 && self.holding(1) == 0;
        found.expect(self.status != Status::Closed || empty, Subject::Accounts, sequence, || {
            format!("the closed account {id} is not empty")
        });
    }
}
