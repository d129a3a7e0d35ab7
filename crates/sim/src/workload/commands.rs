//! One command of each kind, by weight.

use std::sync::Arc;

use ledger::command::{Extent, Movement, OpenAccount, Original};
use ledger::{AccountId, AccountType, Command, Date, Line, NameId, Sequence, Side, Status};
use rand::Rng;

use super::{Workload, pick};
use crate::model::Model;
use crate::time::{DAY, SECOND};

impl Workload {
    pub(super) fn command(&mut self, model: &Model, now: i64) -> Command {
        if model.open_day.is_none() && self.rng.random_bool(0.3) {
            return self.day(model);
        }
        match self.rng.random_range(0..100) {
            0..8 => self.change(model),
            8..12 => self.open_account(model),
            12..14 => self.day(model),
            _ => self.movement(model, now),
        }
    }

    /// What may also be a member of a group.
    pub(super) fn movement(&mut self, model: &Model, now: i64) -> Command {
        match self.rng.random_range(0..100) {
            0..18 => Command::Deposit(self.cash(model, true)),
            18..30 => Command::Withdraw(self.cash(model, false)),
            30..55 => Command::Transfer(self.transfer(model)),
            55..65 => self.entries(model),
            65..76 => self.place(model, now),
            76..84 => self.capture(model),
            84..88 => self.void(model),
            _ => self.reverse(model),
        }
    }

    fn cash(&mut self, model: &Model, into: bool) -> Movement {
        let currency = self.currency();
        let cash = self.usable(model, AccountType::Asset, currency);
        let customer = self.usable(model, AccountType::Liability, currency);
        let (from, to) = if into { (cash, customer) } else { (customer, cash) };
        let amount = self.amount(model, if into { AccountId(0) } else { from });
        Movement { from, to, amount, currency }
    }

    fn transfer(&mut self, model: &Model) -> Movement {
        let currency = self.currency();
        let kind = if self.rng.random_bool(0.85) { AccountType::Liability } else { AccountType::Asset };
        let from = self.usable(model, kind, currency);
        let to = self.usable(model, kind, currency);
        Movement { from, to, amount: self.amount(model, from), currency }
    }

    /// Pairs of lines, each balanced in its currency; one time in ten something is off.
    fn entries(&mut self, model: &Model) -> Command {
        let pairs = match self.rng.random_range(0..30) {
            0 => 0,
            1 => 65,
            2 => 12,
            _ => self.rng.random_range(1..=3),
        };
        let mut lines = Vec::new();
        for _ in 0..pairs {
            let currency = self.currency();
            let debit = self.usable(model, AccountType::Liability, currency);
            let kind = if self.rng.random_bool(0.5) { AccountType::Income } else { AccountType::Liability };
            let credit = self.usable(model, kind, currency);
            let amount = self.rng.random_range(1..2_000);
            lines.push(Line { account: debit, side: Side::Debit, amount, currency });
            lines.push(Line { account: credit, side: Side::Credit, amount, currency });
        }
        if self.rng.random_bool(0.1)
            && let Some(line) = lines.first_mut()
        {
            line.amount = self.rng.random_range(-1..2_000);
        }
        Command::Post { lines: lines.into() }
    }

    fn place(&mut self, model: &Model, now: i64) -> Command {
        let currency = self.currency();
        let account = self.usable(model, AccountType::Liability, currency);
        let empty = |account: &crate::model::Account| {
            account.balance() == 0 && account.currency == currency && account.status == Status::Active
        };
        let to = match self.rng.random_range(0..10) {
            0 => Some(self.account(model, empty)),
            1..4 => Some(self.usable(model, AccountType::Liability, currency)),
            _ => None,
        };
        let expires_at = match self.rng.random_range(0..20) {
            0 => Some(now - SECOND),
            1 => Some(now + 401 * DAY),
            2 => Some(now + 399 * DAY),
            3..7 => None,
            _ => Some(now + self.rng.random_range(SECOND / 10..600 * SECOND)),
        };
        let amount = self.amount(model, account).min(self.rng.random_range(1_000..100_000));
        match to {
            // The first phase of a two-phase commit, for every fourth that names both ends.
            Some(to) if amount % 4 == 0 => Command::Prepare(Movement { from: account, to, amount, currency }),
            _ => Command::Hold { account, to, amount, currency, expires_at },
        }
    }

    fn capture(&mut self, model: &Model) -> Command {
        let hold = self.hold(model);
        let known = model.holds.get(&hold.0);
        let amount = known.filter(|_| self.rng.random_bool(0.5)).map(|hold| hold.amount as i64 / 2);
        let amount = if self.rng.random_bool(0.05) { Some(i64::MAX) } else { amount };
        let promised = known.is_some_and(|hold| hold.to.is_some());
        let names_one = self.rng.random_bool(if promised { 0.1 } else { 0.9 });
        let currency = known.map_or_else(|| super::currencies()[0], |hold| hold.currency);
        let to = names_one.then(|| self.usable(model, AccountType::Liability, currency));
        // Now and then somebody takes one kind of hold for the other.
        let prepared = known.is_some_and(|hold| hold.expires_at == i64::MAX);
        if prepared != hold.0.is_multiple_of(8) {
            return Command::Commit { hold };
        }
        Command::Capture { hold, amount, to }
    }

    fn void(&mut self, model: &Model) -> Command {
        let hold = self.hold(model);
        let prepared = model.holds.get(&hold.0).is_some_and(|hold| hold.expires_at == i64::MAX);
        if prepared != hold.0.is_multiple_of(8) { Command::Abort { hold } } else { Command::Void { hold } }
    }

    fn reverse(&mut self, model: &Model) -> Command {
        let ids: Vec<u64> = model.transactions.keys().copied().collect();
        if ids.is_empty() {
            return Command::Void { hold: Sequence(1) };
        }
        // The newest are the likeliest to be taken back, and the oldest are never safe from it.
        let last = ids.len();
        let first = if self.rng.random_bool(0.6) { last.saturating_sub(8) } else { 0 };
        let id = ids[self.rng.random_range(first..last)];
        let transaction = &model.transactions[&id];
        let original = Original {
            sequence: Sequence(id),
            kind: transaction.kind,
            lines: transaction.lines.clone().into(),
        };
        let extent = match self.rng.random_range(0..10) {
            0..4 => Extent::Rest,
            4..7 => Extent::Amount(self.rng.random_range(0..2_000)),
            _ => {
                let pair = self.rng.random_range(0..=transaction.lines.len() as u8 / 2) * 2;
                let amount = self.rng.random_range(0..1_500);
                let wrong = self.rng.random_bool(0.1);
                let second = if wrong { pair } else { pair + 1 };
                Extent::Entries(vec![(pair, amount), (second, amount)].into())
            }
        };
        Command::Reverse { original: Arc::new(original), extent }
    }

    fn change(&mut self, model: &Model) -> Command {
        let customers = self.rng.random_bool(0.95);
        // Frozen and pending accounts are looked for, so that the bank does not freeze over.
        let thaw = self.rng.random_bool(0.5);
        // An empty one, with holds or promises on it if there is such a one, is the one to try to close.
        let closing = self.rng.random_bool(0.15);
        let account = self.account(model, |account| {
            if closing {
                return account.balance() == 0 && account.reserved + account.promised > 0;
            }
            (!customers || account.kind == AccountType::Liability)
                && (!thaw || matches!(account.status, Status::Frozen | Status::Pending))
        });
        let known = model.accounts.get(&account.0);
        let status = match self.rng.random_range(0..10) {
            _ if closing => Some(Status::Closed),
            _ if thaw => Some(Status::Active),
            0..3 => None,
            3..7 => Some(Status::Frozen),
            7 | 8 => Some(Status::Closed),
            _ => Some(Status::ALL[self.rng.random_range(0..4)]),
        };
        let limit = match self.rng.random_range(0..10) {
            _ if closing => None,
            0..6 => None,
            6 => Some(-1),
            7 => Some(0),
            _ => Some(self.rng.random_range(0..20_000)),
        };
        let version = known.map_or(1, |account| account.version);
        let expected = match self.rng.random_range(0..10) {
            0 => Some(version + 1),
            1..3 => Some(version),
            _ => None,
        };
        Command::ChangeAccount { account, status, overdraft_limit: limit, expected_version: expected }
    }

    fn open_account(&mut self, model: &Model) -> Command {
        let kind = match self.rng.random_range(0..10) {
            0 => AccountType::Expense,
            1 => AccountType::Asset,
            _ => AccountType::Liability,
        };
        let currency = self.currency();
        let Command::OpenAccount(plain) = pick::opening(kind, currency, "another") else { unreachable!() };
        let number = match self.rng.random_range(0..12) {
            0 => Some(String::new()),
            1 => Some("BC0000000001".to_owned()),
            2 => Some("N".repeat(35)),
            3..8 => Some(format!("DE{:04}", self.rng.random_range(0..12))),
            _ => None,
        };
        Command::OpenAccount(Box::new(OpenAccount {
            status: Status::ALL[self.rng.random_range(0..40) % 3 % 4],
            overdraft_limit: [0, 0, 10_000, -1][self.rng.random_range(0..4)],
            owner: NameId(self.rng.random_range(0..=super::PRINCIPALS)),
            number: number.map(Into::into),
            name: if model.head() % 50 == 7 { "x".repeat(129).into() } else { "another".into() },
            ..*plain
        }))
    }

    fn day(&mut self, model: &Model) -> Command {
        let newest = model.newest_day.unwrap_or(20_779);
        match (model.open_day, self.rng.random_range(0..10)) {
            (_, 0) => Command::OpenDay { date: Date(newest) },
            (_, 1) => Command::CloseDay { date: Date(newest + 1) },
            (Some(open), _) => Command::CloseDay { date: Date(open) },
            (None, _) => Command::OpenDay { date: Date(newest + self.rng.random_range(1..3)) },
        }
    }
}
