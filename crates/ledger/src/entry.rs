//! Entries: one line on one account.

use crate::account::{Account, Side, named};
use crate::currency::Currency;
use crate::ids::{AccountId, Sequence};

/// A line that somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The account.
    pub account: AccountId,
    /// The side.
    pub side: Side,
    /// Minor units, above zero.
    pub amount: i64,
    /// The currency that the caller named; must be the account's.
    pub currency: Currency,
}

named! {
    /// What an entry does to the totals of its account.
    Effect {
        /// Adds to the posted total of its side.
        Posted = 1 "posted",
        /// Adds to the held total of its side.
        Held = 2 "held",
        /// Adds to the released total of its side.
        Released = 3 "released",
        /// Moves nothing: the account was opened or changed.
        Touched = 4 "touched",
    }
}

/// A line as it was decided, with what it left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// Minor units; zero only for [`Effect::Touched`].
    pub amount: i64,
    /// Ledger balance of the account after this entry, on its normal side, in minor units.
    pub balance_after: i64,
    /// The event that touched the account before this one; 0 if none did.
    pub previous: Sequence,
    /// The account's version after this event.
    pub version: u64,
    /// Skip pointer (see [`Account::skip_at`]); derived, not covered by the chain.
    pub skip: Sequence,
    /// The account's currency.
    pub currency: Currency,
    /// The side.
    pub side: Side,
    /// What it does.
    pub effect: Effect,
}

impl Entry {
    /// The line that this entry answers, as it would be asked for.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { account: self.account, side: self.side, amount: self.amount, currency: self.currency }
    }

    /// Folds this entry into its account.
    ///
    /// # Panics
    /// If version, link or balance do not come out as the entry says, or an amount is not above zero: then
    /// the books and the journal disagree, and nothing may go on.
    pub fn fold(&self, account: &mut Account, sequence: Sequence) {
        if account.last != sequence {
            assert_eq!(self.previous, account.last, "link of account {} at {sequence}", self.account);
        }
        account.touch(sequence);
        assert_eq!(self.version, account.version, "version of account {} at {sequence}", self.account);
        // Totals are unsigned: an amount below zero would wrap one and still come out at the right balance.
        let moves = self.effect != Effect::Touched;
        assert_eq!(self.amount > 0, moves, "amount on account {} at {sequence}", self.account);
        match self.effect {
            Effect::Posted => account.post(self.side, self.amount),
            Effect::Held => account.hold(self.side, self.amount),
            Effect::Released => account.release(self.side, self.amount),
            Effect::Touched => {}
        }
        assert_eq!(
            i128::from(self.balance_after),
            account.ledger_balance(),
            "balance of account {} at {sequence}",
            self.account
        );
    }
}
