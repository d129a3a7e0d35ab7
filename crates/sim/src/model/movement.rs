//! Movements: deposits, withdrawals, transfers, entries, reversals, all as lists of legs on a scratch copy.

use std::collections::BTreeMap;

use ledger::command::{Extent, Original};
use ledger::entry::Effect;
use ledger::{AccountType, Code, Command, Currency, Line, Request, Side, Status, TransactionKind};

use super::Model;
use super::account::Account;
use super::expect::{Draft, Refused};
use super::fact::{Leg, What};

pub(super) fn decide(model: &Model, request: &Request) -> Result<Draft, Refused> {
    match &request.command {
        Command::Deposit(movement) => {
            of_type(model, movement.from.0, AccountType::Asset)?;
            of_type(model, movement.to.0, AccountType::Liability)?;
            pair(model, request, TransactionKind::Deposit, movement, Side::Debit)
        }
        Command::Withdraw(movement) => {
            of_type(model, movement.from.0, AccountType::Liability)?;
            of_type(model, movement.to.0, AccountType::Asset)?;
            pair(model, request, TransactionKind::Withdrawal, movement, Side::Debit)
        }
        Command::Transfer(movement) => {
            let from = model.account(movement.from.0)?;
            let to = model.account(movement.to.0)?;
            if from.growing() != to.growing() {
                return Err(Refused::on(Code::WrongAccountType, movement.to.0));
            }
            pair(model, request, TransactionKind::Transfer, movement, from.shrinking())
        }
        Command::Post { lines } => post(model, request, lines),
        Command::Reverse { original, extent } => reverse(model, request, original, extent),
        other => unreachable!("no movement: {other:?}"),
    }
}

fn of_type(model: &Model, id: u64, kind: AccountType) -> Result<(), Refused> {
    if model.account(id)?.kind == kind { Ok(()) } else { Err(Refused::on(Code::WrongAccountType, id)) }
}

fn pair(
    model: &Model,
    request: &Request,
    kind: TransactionKind,
    movement: &ledger::command::Movement,
    side: Side,
) -> Result<Draft, Refused> {
    if movement.from == movement.to {
        return Err(Refused::on(Code::SameAccount, movement.from.0));
    }
    let other = if side == Side::Debit { Side::Credit } else { Side::Debit };
    let line = |account, side| Line { account, side, amount: movement.amount, currency: movement.currency };
    model.bookable(request)?;
    let mut scratch = Scratch::new(model, false);
    scratch.post(&line(movement.from, side))?;
    scratch.post(&line(movement.to, other))?;
    Ok(scratch.draft(What::Posted { kind, hold: None, reverses: None }))
}

fn post(model: &Model, request: &Request, lines: &[Line]) -> Result<Draft, Refused> {
    if lines.len() < 2 || lines.len() > 128 {
        return Err(Refused::new(Code::EntryCount).with(lines.len() as i128, 128));
    }
    for (index, line) in lines.iter().enumerate() {
        for earlier in &lines[..index] {
            if earlier.account == line.account && earlier.side != line.side {
                return Err(Refused::on(Code::SameAccount, line.account.0));
            }
        }
        if line.amount < 1 {
            return Err(Refused::on(Code::AmountNotPositive, line.account.0));
        }
    }
    balanced(lines)?;
    model.bookable(request)?;
    let mut scratch = Scratch::new(model, false);
    lines.iter().try_for_each(|line| scratch.post(line))?;
    Ok(scratch.draft(What::Posted { kind: TransactionKind::Journal, hold: None, reverses: None }))
}

/// The first currency, in the order of the lines, whose sides differ is the one complained of.
fn balanced(lines: &[Line]) -> Result<(), Refused> {
    let mut order: Vec<Currency> = Vec::new();
    let mut sums: BTreeMap<Currency, (i128, i128)> = BTreeMap::new();
    for line in lines {
        if !order.contains(&line.currency) {
            order.push(line.currency);
        }
        let sum = sums.entry(line.currency).or_default();
        match line.side {
            Side::Debit => sum.0 += i128::from(line.amount),
            Side::Credit => sum.1 += i128::from(line.amount),
        }
    }
    match order.iter().map(|currency| sums[currency]).find(|(debits, credits)| debits != credits) {
        Some((debits, credits)) => Err(Refused::new(Code::Unbalanced).with(debits, credits)),
        None => Ok(()),
    }
}

fn reverse(model: &Model, request: &Request, original: &Original, extent: &Extent) -> Result<Draft, Refused> {
    let id = original.sequence.0;
    let about = |code| Refused::new(code).with(id.into(), 0);
    if original.kind == TransactionKind::Reversal {
        return Err(about(Code::NotReversible));
    }
    let transaction = &model.transactions[&id];
    let count = transaction.lines.len();
    let needed = Refused::new(Code::EntriesRequired).with(count as i128, 0);
    let left: Vec<i128> = transaction
        .lines
        .iter()
        .zip(&transaction.reversed)
        .map(|(line, reversed)| i128::from(line.amount) - reversed)
        .collect();
    let wanted: Vec<(usize, i128)> = match extent {
        Extent::Rest => left.iter().copied().enumerate().filter(|(_, left)| *left > 0).collect(),
        Extent::Amount(_) if count != 2 => return Err(needed),
        Extent::Amount(amount) => vec![(0, (*amount).into()), (1, (*amount).into())],
        Extent::Entries(named) => {
            let mut seen = Vec::new();
            for (index, _) in named.iter() {
                if usize::from(*index) >= count || seen.contains(index) {
                    return Err(needed);
                }
                seen.push(*index);
            }
            if named.len() < 2 {
                return Err(needed);
            }
            named.iter().map(|(index, amount)| (usize::from(*index), (*amount).into())).collect()
        }
    };
    if wanted.is_empty() {
        return Err(about(Code::AlreadyReversed));
    }
    for &(index, amount) in &wanted {
        let account = transaction.lines[index].account.0;
        if amount < 1 {
            return Err(Refused::on(Code::AmountNotPositive, account));
        }
        if left[index] == 0 {
            return Err(about(Code::AlreadyReversed));
        }
        if amount > left[index] {
            return Err(Refused::on(Code::ReversalExceeds, account).with(left[index], amount));
        }
    }
    let lines: Vec<Line> = wanted
        .iter()
        .map(|&(index, amount)| {
            let line = transaction.lines[index];
            let side = if line.side == Side::Debit { Side::Credit } else { Side::Debit };
            Line { side, amount: amount as i64, ..line }
        })
        .collect();
    balanced(&lines)?;
    model.bookable(request)?;
    let mut scratch = Scratch::new(model, true);
    lines.iter().try_for_each(|line| scratch.post(line))?;
    let indices = wanted.iter().map(|(index, _)| *index as u8).collect();
    let reverses = Some((id, indices));
    Ok(scratch.draft(What::Posted { kind: TransactionKind::Reversal, hold: None, reverses }))
}

/// Copies of the accounts that one event touches, and the legs so far.
pub(super) struct Scratch<'a> {
    model: &'a Model,
    passes_freeze: bool,
    accounts: BTreeMap<u64, Account>,
    legs: Vec<Leg>,
}

impl<'a> Scratch<'a> {
    pub(super) fn new(model: &'a Model, passes_freeze: bool) -> Self {
        Scratch { model, passes_freeze, accounts: BTreeMap::new(), legs: Vec::new() }
    }

    pub(super) fn post(&mut self, line: &Line) -> Result<(), Refused> {
        self.allowed(line)?;
        self.leg(line.account.0, line.side, line.amount.into(), Effect::Posted)
    }

    pub(super) fn hold(&mut self, line: &Line) -> Result<(), Refused> {
        self.allowed(line)?;
        self.leg(line.account.0, line.side, line.amount.into(), Effect::Held)
    }

    pub(super) fn release(&mut self, account: u64, side: Side, amount: i128) -> Result<(), Refused> {
        self.leg(account, side, amount, Effect::Released)
    }

    pub(super) fn draft(self, what: What) -> Draft {
        Draft { what, legs: self.legs }
    }

    fn now(&self, id: u64) -> Result<&Account, Refused> {
        self.accounts.get(&id).map_or_else(|| self.model.account(id), Ok)
    }

    fn allowed(&self, line: &Line) -> Result<(), Refused> {
        let (id, amount) = (line.account.0, i128::from(line.amount));
        if amount < 1 {
            return Err(Refused::on(Code::AmountNotPositive, id));
        }
        let account = self.now(id)?;
        if account.currency != line.currency {
            return Err(Refused::on(Code::CurrencyMismatch, id));
        }
        match account.status {
            Status::Pending => return Err(Refused::on(Code::AccountPending, id)),
            Status::Closed => return Err(Refused::on(Code::AccountClosed, id)),
            Status::Frozen if !self.passes_freeze => return Err(Refused::on(Code::AccountFrozen, id)),
            Status::Frozen | Status::Active => {}
        }
        if line.side == account.growing() {
            if account.balance() + account.promised + amount > i128::from(i64::MAX) {
                return Err(Refused::on(Code::BalanceOverflow, id).with(account.balance(), amount));
            }
        } else if amount > account.available() {
            return Err(Refused::on(Code::InsufficientFunds, id).with(account.available(), amount));
        }
        Ok(())
    }

    fn leg(&mut self, id: u64, side: Side, amount: i128, effect: Effect) -> Result<(), Refused> {
        let before = self.model.account(id)?;
        let mut account = self.now(id)?.clone();
        account.add(side, amount, effect);
        self.legs.push(Leg {
            account: id,
            side,
            amount,
            effect,
            currency: account.currency,
            balance_after: account.balance(),
            version: before.version + 1,
            previous: before.last,
        });
        self.accounts.insert(id, account);
        Ok(())
    }
}
