//! An account of the model: two sums a side, a version, a status.

use ledger::entry::Effect;
use ledger::{AccountType, Currency, Side, Status};

use super::fact::{Fact, Leg, What};

/// An account in plain numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The type.
    pub kind: AccountType,
    /// The currency.
    pub currency: Currency,
    /// The status.
    pub status: Status,
    /// The overdraft limit.
    pub limit: i128,
    /// The owner's number.
    pub owner: u32,
    /// All debits.
    pub debits: i128,
    /// All credits.
    pub credits: i128,
    /// Reserved against the balance now.
    pub reserved: i128,
    /// Promised to it now.
    pub promised: i128,
    /// How many events touched it.
    pub version: u64,
    /// The newest of them.
    pub last: u64,
}

/// Assets and expenses grow by debits, all else by credits.
pub(super) fn grows_by_debit(kind: AccountType) -> bool {
    matches!(kind, AccountType::Asset | AccountType::Expense)
}

impl Account {
    pub(super) fn opened(fact: &Fact) -> Account {
        let What::Opened { kind, currency, status, limit, owner, .. } = &fact.what else {
            unreachable!("called for openings")
        };
        Account {
            kind: *kind,
            currency: *currency,
            status: *status,
            limit: *limit,
            owner: *owner,
            debits: 0,
            credits: 0,
            reserved: 0,
            promised: 0,
            version: 0,
            last: 0,
        }
    }

    /// The side on which it grows.
    #[must_use]
    pub fn growing(&self) -> Side {
        if grows_by_debit(self.kind) { Side::Debit } else { Side::Credit }
    }

    /// The side on which it shrinks.
    #[must_use]
    pub fn shrinking(&self) -> Side {
        if grows_by_debit(self.kind) { Side::Credit } else { Side::Debit }
    }

    /// What stands on it.
    #[must_use]
    pub fn balance(&self) -> i128 {
        if grows_by_debit(self.kind) { self.debits - self.credits } else { self.credits - self.debits }
    }

    /// What may be spent.
    #[must_use]
    pub fn available(&self) -> i128 {
        self.balance() - self.reserved + self.limit
    }

    /// Does to the totals what a leg says, and nothing else.
    pub(super) fn add(&mut self, side: Side, amount: i128, effect: Effect) {
        let shrinking = side == self.shrinking();
        match (effect, side) {
            (Effect::Posted, Side::Debit) => self.debits += amount,
            (Effect::Posted, Side::Credit) => self.credits += amount,
            (Effect::Held, _) if shrinking => self.reserved += amount,
            (Effect::Held, _) => self.promised += amount,
            (Effect::Released, _) if shrinking => self.reserved -= amount,
            (Effect::Released, _) => self.promised -= amount,
            (Effect::Touched, _) => {}
        }
        assert!(self.reserved >= 0 && self.promised >= 0, "more was released than was held");
    }

    pub(super) fn fold(&mut self, leg: &Leg, sequence: u64) {
        if self.last != sequence {
            assert_eq!(leg.previous, self.last, "link of account {} at event {sequence}", leg.account);
            (self.version, self.last) = (self.version + 1, sequence);
        }
        assert_eq!(leg.version, self.version, "version of account {} at event {sequence}", leg.account);
        assert_eq!(leg.currency, self.currency, "currency of account {} at event {sequence}", leg.account);
        self.add(leg.side, leg.amount, leg.effect);
        assert_eq!(
            leg.balance_after,
            self.balance(),
            "balance of account {} at event {sequence}",
            leg.account
        );
    }
}
