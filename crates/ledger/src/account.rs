//! Accounts: one currency, one type, one set of totals.
//!
//! The totals only ever grow: what was debited and credited, and what was held and released, on each side.
//! Balances are derived. The account type decides the normal side, so no balance is ever kept with a sign
//! that somebody has to remember.
//!
//! Totals are 128 bits wide although an amount has 64: turnover over a bank's life must never close an
//! account, and a caller who moves the largest amount to and fro must not be able to bring that about.
//! The *balance* is bound to 64 bits by the rules.

use crate::currency::Currency;
use crate::ids::{NameId, Sequence};
use crate::limits::{SKIP_LEVELS, SKIP_STRIDE};

/// The left or the right side of an entry. Never plus or minus.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum Side {
    /// Left.
    Debit = 0,
    /// Right.
    Credit = 1,
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn opposite(self) -> Side {
        match self {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        }
    }

    /// "debit" or "credit".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Debit => "debit",
            Side::Credit => "credit",
        }
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $value:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $value,)+ }

        impl $name {
            /// Every value, in the order of its number.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The word that the interface uses.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// The value with this word.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$name> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }

            /// The value with this number in a record.
            #[must_use]
            pub fn from_number(number: u8) -> Option<$name> {
                match number { $($value => Some($name::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What an account is in the books; fixes its normal side.
    AccountType {
        /// What the bank has: cash, nostro balances.
        Asset = 1 "asset",
        /// What the bank owes: every customer account.
        Liability = 2 "liability",
        /// What belongs to the owners.
        Equity = 3 "equity",
        /// What was earned.
        Income = 4 "income",
        /// What was spent.
        Expense = 5 "expense",
    }
}

named! {
    /// Whether an account takes entries.
    Status {
        /// Opened, not yet released: no entries.
        Pending = 1 "pending",
        /// Takes entries.
        Active = 2 "active",
        /// No ordinary entries on either side; can be undone.
        Frozen = 3 "frozen",
        /// Empty and final.
        Closed = 4 "closed",
    }
}

impl AccountType {
    /// The side on which an account of this type grows.
    #[must_use]
    pub fn normal_side(self) -> Side {
        match self {
            AccountType::Asset | AccountType::Expense => Side::Debit,
            AccountType::Liability | AccountType::Equity | AccountType::Income => Side::Credit,
        }
    }
}

/// What the ledger keeps of an account. Names and numbers are read from the event that opened it.
///
/// The first cache line holds all that an ordinary entry touches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(64))]
pub struct Account {
    posted: [u128; 2],
    /// How many events have touched this account, its opening included. Rises by one with each.
    pub version: u64,
    /// The newest event that touched this account.
    pub last: Sequence,
    /// How far below zero the available balance may be used, in minor units.
    pub overdraft_limit: i64,
    /// Holds and promises on this account that have not ended: while it is zero nothing is reserved, and the
    /// second cache line need not be read to know it.
    open_holds: u32,
    currency: Currency,
    /// The type.
    pub account_type: AccountType,
    /// The status.
    pub status: Status,
    held: [u128; 2],
    released: [u128; 2],
    /// The event that opened the account; its record holds name and number.
    pub opened: Sequence,
    skips: [u64; SKIP_LEVELS],
    /// The principal that owns the account; 0 for the bank's own.
    pub owner: NameId,
}

/// Totals posted, held and released, skips, open holds.
pub(crate) type Parts = ([u128; 2], [u128; 2], [u128; 2], [u64; SKIP_LEVELS], u32);

impl Account {
    /// A new account with nothing on it and no event behind it.
    #[must_use]
    pub fn new(
        account_type: AccountType,
        currency: Currency,
        owner: NameId,
        status: Status,
        overdraft_limit: i64,
        opened: Sequence,
    ) -> Account {
        Account {
            posted: [0; 2],
            version: 0,
            last: Sequence(0),
            overdraft_limit,
            open_holds: 0,
            currency,
            account_type,
            status,
            held: [0; 2],
            released: [0; 2],
            opened,
            skips: [0; SKIP_LEVELS],
            owner,
        }
    }

    /// The one currency of this account.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The side on which this account grows.
    #[must_use]
    pub fn normal_side(&self) -> Side {
        self.account_type.normal_side()
    }

    /// All that was ever posted on a side, in minor units. Never falls.
    #[must_use]
    pub fn posted(&self, side: Side) -> u128 {
        self.posted[side as usize]
    }

    /// All that was ever held on a side. Never falls.
    #[must_use]
    pub fn held_ever(&self, side: Side) -> u128 {
        self.held[side as usize]
    }

    /// All that was ever released from holds on a side. Never falls, never exceeds [`Account::held_ever`].
    #[must_use]
    pub fn released_ever(&self, side: Side) -> u128 {
        self.released[side as usize]
    }

    /// What is held on a side now, in minor units.
    #[must_use]
    pub fn held(&self, side: Side) -> i128 {
        if self.open_holds == 0 {
            return 0;
        }
        (self.held[side as usize] - self.released[side as usize]) as i128
    }

    /// What is reserved now against the available balance: the holds on the side that shrinks the account.
    #[must_use]
    pub fn reserved(&self) -> i128 {
        self.held(self.normal_side().opposite())
    }

    /// Posted totals only, on the normal side.
    #[must_use]
    pub fn ledger_balance(&self) -> i128 {
        let normal = self.normal_side();
        self.posted(normal) as i128 - self.posted(normal.opposite()) as i128
    }

    /// Ledger balance − what is reserved + overdraft limit: what may be spent.
    #[must_use]
    pub fn available_balance(&self) -> i128 {
        self.ledger_balance() - self.reserved() + i128::from(self.overdraft_limit)
    }

    /// The skip pointer that an event carries for this account at `version`: the event 64, 4,096 or 262,144
    /// versions earlier, for the longest of these distances that divides the version; else 0.
    ///
    /// The account itself still stands one version before.
    #[must_use]
    pub fn skip_at(&self, version: u64) -> Sequence {
        let mut found = 0;
        let mut distance = SKIP_STRIDE;
        for skip in self.skips {
            if !version.is_multiple_of(distance) {
                break;
            }
            found = skip;
            distance *= SKIP_STRIDE;
        }
        Sequence(found)
    }

    /// Notes that `sequence` touched this account: version, newest event, skip pointers. A second entry of
    /// the same event changes nothing.
    pub(crate) fn touch(&mut self, sequence: Sequence) {
        if self.last == sequence {
            return;
        }
        self.version += 1;
        self.last = sequence;
        let mut distance = SKIP_STRIDE;
        for skip in &mut self.skips {
            if !self.version.is_multiple_of(distance) {
                break;
            }
            *skip = sequence.0;
            distance *= SKIP_STRIDE;
        }
    }

    pub(crate) fn post(&mut self, side: Side, amount: i64) {
        self.posted[side as usize] += amount as u128;
    }

    pub(crate) fn hold(&mut self, side: Side, amount: i64) {
        self.held[side as usize] += amount as u128;
        self.open_holds = self.open_holds.checked_add(1).expect("four billion holds on one account");
    }

    pub(crate) fn release(&mut self, side: Side, amount: i64) {
        self.released[side as usize] += amount as u128;
        assert!(self.released[side as usize] <= self.held[side as usize], "more released than was held");
        self.open_holds = self.open_holds.checked_sub(1).expect("a hold is released once");
    }

    /// The raw parts, for a snapshot.
    pub(crate) fn parts(&self) -> Parts {
        (self.posted, self.held, self.released, self.skips, self.open_holds)
    }

    /// Puts the raw parts of a snapshot back.
    pub(crate) fn set_parts(&mut self, parts: Parts) {
        (self.posted, self.held, self.released, self.skips, self.open_holds) = parts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bdt() -> Currency {
        Currency::from_code("BDT").unwrap()
    }

    #[test]
    fn an_ordinary_entry_touches_one_cache_line() {
        assert_eq!(std::mem::offset_of!(Account, held), 64);
        assert_eq!(std::mem::size_of::<Account>(), 192);
    }

    #[test]
    fn the_type_decides_the_normal_side() {
        for (kind, side) in [
            (AccountType::Asset, Side::Debit),
            (AccountType::Expense, Side::Debit),
            (AccountType::Liability, Side::Credit),
            (AccountType::Equity, Side::Credit),
            (AccountType::Income, Side::Credit),
        ] {
            assert_eq!(kind.normal_side(), side);
            let mut account = Account::new(kind, bdt(), NameId(0), Status::Active, 0, Sequence(1));
            account.post(side, 100);
            assert_eq!(account.ledger_balance(), 100);
            account.post(side.opposite(), 30);
            assert_eq!(account.ledger_balance(), 70);
            account.hold(side.opposite(), 20);
            assert_eq!(account.available_balance(), 50);
            account.hold(side, 500);
            assert_eq!(account.available_balance(), 50, "a promise is not money yet");
        }
    }

    #[test]
    fn skip_pointers_stand_at_powers_of_the_stride() {
        let mut account =
            Account::new(AccountType::Liability, bdt(), NameId(0), Status::Active, 0, Sequence(1));
        for event in 1..=300_000u64 {
            let skip = account.skip_at(event).0;
            let expected = [262_144, 4_096, 64].into_iter().find(|d| event % d == 0).map_or(0, |d| event - d);
            assert_eq!(skip, expected, "at version {event}");
            account.touch(Sequence(event));
        }
    }
}
