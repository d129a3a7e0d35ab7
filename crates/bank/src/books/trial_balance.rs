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
    /// What is held on both sides now, minor units.
    pub held: i128,
}

impl TrialBalance {
    /// Of these books.
    #[must_use]
    pub fn of(state: &State) -> TrialBalance {
        let mut lines: BTreeMap<_, Sums> = BTreeMap::new();
        for (_, account) in state.accounts() {
            let sums = lines.entry((account.currency(), account.account_type)).or_default();
            sums.accounts += 1;
            sums.debits += account.posted(Side::Debit);
            sums.credits += account.posted(Side::Credit);
            sums.held += account.reserved();
        }
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
