//! What holds at every sequence: the sums that a verifier and every test ask for.

use std::collections::BTreeMap;

use crate::account::Side;
use crate::currency::Currency;
use crate::ids::{AccountId, Sequence};
use crate::state::State;

/// What does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broken {
    /// Over all accounts of a currency, debits and credits differ.
    Unbalanced {
        /// The currency.
        currency: Currency,
        /// Sum of debits, minor units.
        debits: u128,
        /// Sum of credits, minor units.
        credits: u128,
    },
    /// An account stands below its floor.
    BelowFloor(AccountId),
    /// The open holds of an account do not add up to what it holds.
    Holds(AccountId),
    /// More of a transaction was reversed than a reversal may.
    Reversed(Sequence),
}

/// Checks the whole state. Empty if all holds.
#[must_use]
pub fn check(state: &State) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut sums: BTreeMap<Currency, [u128; 2]> = BTreeMap::new();
    let mut held: BTreeMap<(AccountId, u8), i128> = BTreeMap::new();
    for (_, hold) in state.holds() {
        *held.entry((hold.account, hold.side as u8)).or_default() += i128::from(hold.amount);
        if let Some(to) = hold.to {
            *held.entry((to, hold.side.opposite() as u8)).or_default() += i128::from(hold.amount);
        }
    }
    for (id, account) in state.accounts() {
        let sum = sums.entry(account.currency()).or_default();
        sum[0] += account.posted(Side::Debit);
        sum[1] += account.posted(Side::Credit);
        if account.available_balance() < 0 {
            broken.push(Broken::BelowFloor(id));
        }
        for side in [Side::Debit, Side::Credit] {
            if account.held(side) != held.get(&(id, side as u8)).copied().unwrap_or(0) {
                broken.push(Broken::Holds(id));
            }
        }
    }
    for (currency, [debits, credits]) in sums {
        if debits != credits {
            broken.push(Broken::Unbalanced { currency, debits, credits });
        }
    }
    broken.extend(
        state.reversed.iter().filter(|(_, amount)| **amount <= 0).map(|((id, _), _)| Broken::Reversed(*id)),
    );
    broken
}
