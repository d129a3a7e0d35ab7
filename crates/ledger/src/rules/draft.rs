//! A draft: the entries of one event, as they are put together and checked.
//!
//! Lines on the same account see each other: the second line is checked against what the first one left.
//! Working copies are kept for the few accounts of one event, in the order in which they came; a linear
//! search beats any map at two, and at 128 it is still nothing.

use smallvec::SmallVec;

use crate::account::{Account, Side, Status};
use crate::currency::Currency;
use crate::entry::{Effect, Entry, Line};
use crate::event::Entries;
use crate::ids::{AccountId, Sequence};
use crate::refusal::{Code, Refusal};
use crate::view::View;

/// Whether a freeze stops the lines of this event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Freeze {
    /// An ordinary entry: refused on a frozen account.
    Stops,
    /// A reversal, a release: passes.
    Passes,
}

pub(super) struct Draft<'v, V> {
    view: &'v V,
    sequence: Sequence,
    freeze: Freeze,
    accounts: SmallVec<[(AccountId, Account); 2]>,
    entries: Entries,
}

impl<'v, V: View> Draft<'v, V> {
    pub(super) fn new(view: &'v V, sequence: Sequence, freeze: Freeze) -> Self {
        Draft { view, sequence, freeze, accounts: SmallVec::new(), entries: SmallVec::new() }
    }

    /// Moves money: the line is posted.
    pub(super) fn post(&mut self, line: Line) -> Result<(), Refusal> {
        let index = self.checked(line)?;
        let account = &self.accounts[index].1;
        check_posting(account, line)?;
        self.push(index, line.side, line.amount, Effect::Posted);
        Ok(())
    }

    /// Reserves money: on the side that shrinks the account it must be available, on the other it must fit.
    pub(super) fn hold(&mut self, line: Line) -> Result<(), Refusal> {
        let index = self.checked(line)?;
        check_posting(&self.accounts[index].1, line)?;
        self.push(index, line.side, line.amount, Effect::Held);
        Ok(())
    }

    /// Ends a reservation. Always possible: what was held can be released.
    pub(super) fn release(&mut self, account: AccountId, side: Side, amount: i64) -> Result<(), Refusal> {
        let index = self.load(account)?;
        self.push(index, side, amount, Effect::Released);
        Ok(())
    }

    /// Touches an account without moving anything.
    pub(super) fn touch(&mut self, account: AccountId) -> Result<&mut Account, Refusal> {
        let index = self.load(account)?;
        self.push(index, Side::Debit, 0, Effect::Touched);
        Ok(&mut self.accounts[index].1)
    }

    /// Touches an account that does not exist yet.
    pub(super) fn create(&mut self, id: AccountId, account: Account) {
        self.accounts.push((id, account));
        self.push(self.accounts.len() - 1, Side::Debit, 0, Effect::Touched);
    }

    pub(super) fn entries(self) -> Entries {
        self.entries
    }

    fn load(&mut self, id: AccountId) -> Result<usize, Refusal> {
        if let Some(index) = self.accounts.iter().position(|(known, _)| *known == id) {
            return Ok(index);
        }
        let account = self.view.account(id).ok_or(Refusal::new(Code::UnknownAccount).on(id))?;
        self.accounts.push((id, *account));
        Ok(self.accounts.len() - 1)
    }

    /// The checks that every new entry passes, whatever it does.
    fn checked(&mut self, line: Line) -> Result<usize, Refusal> {
        if line.amount <= 0 {
            return Err(Refusal::new(Code::AmountNotPositive).on(line.account));
        }
        let index = self.load(line.account)?;
        let account = &self.accounts[index].1;
        if account.currency() != line.currency {
            return Err(Refusal::new(Code::CurrencyMismatch)
                .on(line.account)
                .in_currency(account.currency()));
        }
        let code = match account.status {
            Status::Active => return Ok(index),
            Status::Frozen if self.freeze == Freeze::Passes => return Ok(index),
            Status::Frozen => Code::AccountFrozen,
            Status::Pending => Code::AccountPending,
            Status::Closed => Code::AccountClosed,
        };
        Err(Refusal::new(code).on(line.account))
    }

    fn push(&mut self, index: usize, side: Side, amount: i64, effect: Effect) {
        let (id, account) = &mut self.accounts[index];
        let mut entry = Entry {
            account: *id,
            amount,
            balance_after: 0,
            previous: account.last,
            version: account.version + 1,
            skip: account.skip_at(account.version + 1),
            currency: account.currency(),
            side,
            effect,
        };
        if account.last == self.sequence {
            let first = self.entries.iter().find(|earlier| earlier.account == *id).expect("touched before");
            (entry.previous, entry.version, entry.skip) = (first.previous, first.version, first.skip);
        }
        account.touch(self.sequence);
        match effect {
            Effect::Posted => account.post(side, amount),
            Effect::Held => account.hold(side, amount),
            Effect::Released => account.release(side, amount),
            Effect::Touched => {}
        }
        entry.balance_after = i64::try_from(account.ledger_balance()).expect("checked before posting");
        self.entries.push(entry);
    }
}

/// Funds and overflow. A line on the shrinking side needs funds; one on the normal side must fit, together
/// with what is already promised there, so that a prepared credit can always be posted.
fn check_posting(account: &Account, line: Line) -> Result<(), Refusal> {
    let amount = i128::from(line.amount);
    let normal = account.normal_side();
    if line.side == normal {
        let full = account.ledger_balance() + account.held(normal);
        if full + amount > i128::from(i64::MAX) {
            return Err(refuse(Code::BalanceOverflow, line, account.ledger_balance(), amount));
        }
    } else if account.available_balance() < amount {
        return Err(refuse(Code::InsufficientFunds, line, account.available_balance(), amount));
    }
    Ok(())
}

fn refuse(code: Code, line: Line, first: i128, second: i128) -> Refusal {
    Refusal::new(code).on(line.account).in_currency(line.currency).figures(first, second)
}

/// Per currency, debits equal credits.
pub(super) fn check_balanced(lines: &[Line]) -> Result<(), Refusal> {
    let mut sums: SmallVec<[(Currency, [i128; 2]); 2]> = SmallVec::new();
    for line in lines {
        let index = match sums.iter().position(|(currency, _)| *currency == line.currency) {
            Some(index) => index,
            None => {
                sums.push((line.currency, [0; 2]));
                sums.len() - 1
            }
        };
        sums[index].1[line.side as usize] += i128::from(line.amount);
    }
    for (currency, [debits, credits]) in sums {
        if debits != credits {
            return Err(Refusal::new(Code::Unbalanced).in_currency(currency).figures(debits, credits));
        }
    }
    Ok(())
}
