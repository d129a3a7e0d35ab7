//! Totals over all accounts of one currency and type, kept as entries are folded in: a trial balance of a million
//! accounts is asked for while others wait.

use crate::account::{Account, AccountType, Side};
use crate::currency::Currency;
use crate::entry::{Effect, Entry};

/// Places in the index: every numeric code times the types.
const PLACES: usize = 1_000 * TYPES;
const TYPES: usize = 5;

/// All accounts of one currency and type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Total {
    /// Their currency.
    pub currency: Currency,
    /// Their type.
    pub account_type: AccountType,
    /// How many they are.
    pub accounts: u64,
    posted: [u128; 2],
    held: [u128; 2],
    released: [u128; 2],
}

impl Total {
    /// All that was ever posted on a side, minor units.
    #[must_use]
    pub fn posted(&self, side: Side) -> u128 {
        self.posted[side as usize]
    }

    /// What is reserved now: the holds on the side that shrinks these accounts, minor units.
    #[must_use]
    pub fn reserved(&self) -> i128 {
        let side = self.account_type.normal_side().opposite() as usize;
        self.held[side] as i128 - self.released[side] as i128
    }
}

/// See the module's story.
#[derive(Clone, Default)]
pub(crate) struct Totals {
    lines: Vec<Total>,
    /// Where a currency and type has its line, counted from one; empty until there is an account.
    index: Vec<u16>,
}

/// The index follows from the lines.
impl PartialEq for Totals {
    fn eq(&self, other: &Totals) -> bool {
        self.lines == other.lines
    }
}

impl std::fmt::Debug for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.lines.fmt(f)
    }
}

fn place(currency: Currency, account_type: AccountType) -> usize {
    usize::from(currency.numeric()) * TYPES + account_type as usize - 1
}

impl Totals {
    /// Over these accounts; none if they add up to more than any bank can hold, as only damage makes them.
    pub(crate) fn of<'a>(accounts: impl Iterator<Item = &'a Account>) -> Option<Totals> {
        let mut totals = Totals::default();
        for account in accounts {
            let line = totals.line(account.currency(), account.account_type);
            line.accounts += 1;
            for side in [Side::Debit, Side::Credit] {
                let at = side as usize;
                line.posted[at] = line.posted[at].checked_add(account.posted(side))?;
                line.held[at] = line.held[at].checked_add(account.held_ever(side))?;
                line.released[at] = line.released[at].checked_add(account.released_ever(side))?;
            }
        }
        Some(totals)
    }

    /// By currency and type, in the order in which they came.
    pub(crate) fn lines(&self) -> &[Total] {
        &self.lines
    }

    /// There is one account more.
    pub(crate) fn opened(&mut self, account: &Account) {
        self.line(account.currency(), account.account_type).accounts += 1;
    }

    /// Takes in an entry on an account of this type.
    pub(crate) fn fold(&mut self, entry: &Entry, account_type: AccountType) {
        let line = self.line(entry.currency, account_type);
        let totals = match entry.effect {
            Effect::Posted => &mut line.posted,
            Effect::Held => &mut line.held,
            Effect::Released => &mut line.released,
            Effect::Touched => return,
        };
        totals[entry.side as usize] += entry.amount as u128;
    }

    /// Puts a line back as it was; a line that was not there yet is gone again.
    pub(crate) fn restore(&mut self, lines: &[Total], count: usize) {
        for total in self.lines.drain(count..) {
            self.index[place(total.currency, total.account_type)] = 0;
        }
        for before in lines {
            *self.line(before.currency, before.account_type) = *before;
        }
    }

    /// The line of an account, if it has one.
    pub(crate) fn get(&self, currency: Currency, account_type: AccountType) -> Option<&Total> {
        let at = *self.index.get(place(currency, account_type))?;
        self.lines.get(usize::from(at).checked_sub(1)?)
    }

    fn line(&mut self, currency: Currency, account_type: AccountType) -> &mut Total {
        let place = place(currency, account_type);
        if self.index.is_empty() {
            self.index = vec![0; PLACES];
        }
        if self.index[place] == 0 {
            let zero = [0; 2];
            let new = Total { currency, account_type, accounts: 0, posted: zero, held: zero, released: zero };
            self.lines.push(new);
            self.index[place] = self.lines.len() as u16;
        }
        &mut self.lines[usize::from(self.index[place]) - 1]
    }
}
