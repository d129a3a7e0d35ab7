//! A draft: the entries of one event, as they are put together and checked.
//!
//! Lines on the same account see each other: the second line is checked against what the first one left.
//! What changes of an account is kept for the few accounts of one event, in the order in which they came; a
//! linear search beats any map at two, and at 128 it is still nothing. The accounts themselves are not
//! copied: an ordinary line reads one cache line of each.

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
    freeze: Freeze,
    accounts: SmallVec<[Working; 2]>,
    entries: Entries,
}

/// An account as the lines so far leave it.
struct Working {
    id: AccountId,
    previous: Sequence,
    version: u64,
    skip: Sequence,
    currency: Currency,
    normal: Side,
    status: Status,
    overdraft_limit: i64,
    ledger: i128,
    /// Held on each side, by [`Side`].
    held: [i128; 2],
}

impl Working {
    fn of(id: AccountId, account: &Account) -> Working {
        let version = account.version + 1;
        Working {
            id,
            previous: account.last,
            version,
            skip: account.skip_at(version),
            currency: account.currency(),
            normal: account.normal_side(),
            status: account.status,
            overdraft_limit: account.overdraft_limit,
            ledger: account.ledger_balance(),
            held: [account.held(Side::Debit), account.held(Side::Credit)],
        }
    }

    fn held(&mut self, side: Side) -> &mut i128 {
        &mut self.held[side as usize]
    }

    fn available(&self) -> i128 {
        self.ledger - self.held[self.normal.opposite() as usize] + i128::from(self.overdraft_limit)
    }

    /// Funds and overflow. A line on the shrinking side needs funds; one on the normal side must fit, together
    /// with what is already promised there, so that a prepared credit can always be posted.
    fn check(&self, line: Line) -> Result<(), Refusal> {
        let amount = i128::from(line.amount);
        let (code, stands) = if line.side == self.normal {
            if self.ledger + self.held[self.normal as usize] + amount <= i128::from(i64::MAX) {
                return Ok(());
            }
            (Code::BalanceOverflow, self.ledger)
        } else {
            if self.available() >= amount {
                return Ok(());
            }
            (Code::InsufficientFunds, self.available())
        };
        Err(Refusal::new(code).on(line.account).in_currency(line.currency).figures(stands, amount))
    }
}

impl<'v, V: View> Draft<'v, V> {
    pub(super) fn new(view: &'v V, freeze: Freeze) -> Self {
        Draft { view, freeze, accounts: SmallVec::new(), entries: SmallVec::new() }
    }

    /// Moves money: the line is posted.
    pub(super) fn post(&mut self, line: Line) -> Result<(), Refusal> {
        self.checked(line, Effect::Posted)
    }

    /// Reserves money: on the side that shrinks the account it must be available, on the other it must fit.
    pub(super) fn hold(&mut self, line: Line) -> Result<(), Refusal> {
        self.checked(line, Effect::Held)
    }

    /// Ends a reservation. Always possible: what was held can be released.
    pub(super) fn release(&mut self, account: AccountId, side: Side, amount: i64) -> Result<(), Refusal> {
        let index = self.load(account)?;
        self.push(index, side, amount, Effect::Released);
        Ok(())
    }

    /// Touches an account without moving anything.
    pub(super) fn touch(&mut self, account: AccountId) -> Result<(), Refusal> {
        let index = self.load(account)?;
        self.push(index, Side::Debit, 0, Effect::Touched);
        Ok(())
    }

    /// Touches an account that does not exist yet.
    pub(super) fn create(&mut self, id: AccountId, account: &Account) {
        self.accounts.push(Working::of(id, account));
        self.push(self.accounts.len() - 1, Side::Debit, 0, Effect::Touched);
    }

    pub(super) fn entries(self) -> Entries {
        self.entries
    }

    fn load(&mut self, id: AccountId) -> Result<usize, Refusal> {
        if let Some(index) = self.accounts.iter().position(|known| known.id == id) {
            return Ok(index);
        }
        let account = self.view.account(id).ok_or(Refusal::new(Code::UnknownAccount).on(id))?;
        self.accounts.push(Working::of(id, account));
        Ok(self.accounts.len() - 1)
    }

    /// The checks that every new entry passes, whatever it does.
    fn checked(&mut self, line: Line, effect: Effect) -> Result<(), Refusal> {
        if line.amount <= 0 {
            return Err(Refusal::new(Code::AmountNotPositive).on(line.account));
        }
        let index = self.load(line.account)?;
        let account = &self.accounts[index];
        if account.currency != line.currency {
            return Err(Refusal::new(Code::CurrencyMismatch).on(line.account).in_currency(account.currency));
        }
        let code = match account.status {
            Status::Active => None,
            Status::Frozen if self.freeze == Freeze::Passes => None,
            Status::Frozen => Some(Code::AccountFrozen),
            Status::Pending => Some(Code::AccountPending),
            Status::Closed => Some(Code::AccountClosed),
        };
        if let Some(code) = code {
            return Err(Refusal::new(code).on(line.account));
        }
        account.check(line)?;
        self.push(index, line.side, line.amount, effect);
        Ok(())
    }

    fn push(&mut self, index: usize, side: Side, amount: i64, effect: Effect) {
        let account = &mut self.accounts[index];
        let moved = i128::from(amount);
        match effect {
            Effect::Posted if side == account.normal => account.ledger += moved,
            Effect::Posted => account.ledger -= moved,
            Effect::Held => *account.held(side) += moved,
            Effect::Released => *account.held(side) -= moved,
            Effect::Touched => {}
        }
        self.entries.push(Entry {
            account: account.id,
            amount,
            balance_after: i64::try_from(account.ledger).expect("checked before posting"),
            previous: account.previous,
            version: account.version,
            skip: account.skip,
            currency: account.currency,
            side,
            effect,
        });
    }
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
