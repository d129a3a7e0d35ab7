//! The trial balance: debits and credits over all accounts, by currency and account type.

use std::collections::BTreeMap;

use ledger::{AccountType, Currency, Sequence, Side, State};

/// Sums over all accounts at one sequence.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TrialBalance {
    /// The sequence at which they hold.
    pub as_of: Sequence,
    /// The time of that event, microseconds since 1970.
    pub time: i64,
    /// By currency and type.
    pub lines: BTreeMap<(Currency, AccountType), Sums>,
}

/// Sums over the accounts of one currency and type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many accounts.
    pub accounts: u64,
    /// All that was debited, minor units.
    pub debits: u128,
    /// All that was credited, minor units.
    pub credits: u128,
    /// What holds reserve now, minor units.
    pub held: i128,
}

impl TrialBalance {
    /// Of these books.
    #[must_use]
    pub fn of(state: &State) -> TrialBalance {
        let line = |total: &ledger::totals::Total| {
            let sums = Sums {
                accounts: total.accounts,
                debits: total.posted(Side::Debit),
                credits: total.posted(Side::Credit),
                held: total.reserved(),
            };
            ((total.currency, total.account_type), sums)
        };
        let lines = state.totals().iter().map(line).collect();
        TrialBalance { as_of: state.head(), time: state.time(), lines }
    }

    /// Debits and credits of each currency.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Currency, (u128, u128)> {
        let mut totals: BTreeMap<Currency, (u128, u128)> = BTreeMap::new();
        for ((currency, _), sums) in &self.lines {
            let total = totals.entry(*currency).or_default();
            total.0 += sums.debits;
            total.1 += sums.credits;
        }
        totals
    }

    /// Do debits equal credits in every currency?
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.totals().values().all(|(debits, credits)| debits == credits)
    }
}
