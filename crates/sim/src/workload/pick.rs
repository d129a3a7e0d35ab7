//! Choosing: accounts, amounts, moments; mostly sensible.

use ledger::command::OpenAccount;
use ledger::{AccountId, AccountType, Command, Currency, Line, NameId, Side, Status};
use rand::Rng;

use super::{Workload, currencies};
use crate::model::Model;

pub(super) fn opening(kind: AccountType, currency: Currency, name: &str) -> Command {
    Command::OpenAccount(Box::new(OpenAccount {
        account_type: kind,
        currency,
        status: Status::Active,
        overdraft_limit: 0,
        owner: if kind == AccountType::Liability { NameId(1) } else { NameId(0) },
        number: None,
        name: name.into(),
    }))
}

/// Capital becomes cash.
pub(super) fn funding(vault: u64, capital: u64, currency: Currency) -> Command {
    let line = |account, side| Line { account: AccountId(account), side, amount: 50_000_000, currency };
    Command::Post { lines: Box::new([line(vault, Side::Debit), line(capital, Side::Credit)]) }
}

impl Workload {
    pub(super) fn currency(&mut self) -> Currency {
        if self.rng.random_bool(0.01) {
            return Currency::from_code("JPY").expect("in the standard");
        }
        currencies()[usize::from(self.rng.random_bool(0.3))]
    }

    /// An account for which `wanted` holds, if there is one; once in a while any, or none that exists.
    pub(super) fn account(
        &mut self,
        model: &Model,
        wanted: impl Fn(&crate::model::Account) -> bool,
    ) -> AccountId {
        let wrong = self.rng.random_range(0..100);
        if wrong == 0 {
            let beyond = [0, model.accounts.len() as u64 + 1, 1 << 40, u64::MAX];
            return AccountId(beyond[self.rng.random_range(0..beyond.len())]);
        }
        let fit: Vec<u64> = model
            .accounts
            .iter()
            .filter(|(_, account)| wrong < 4 || wanted(account))
            .map(|(id, _)| *id)
            .collect();
        match fit.len() {
            0 => AccountId(1),
            count => AccountId(fit[self.rng.random_range(0..count)]),
        }
    }

    /// An account of a type and currency that takes entries.
    pub(super) fn usable(&mut self, model: &Model, kind: AccountType, currency: Currency) -> AccountId {
        let any_status = self.rng.random_bool(0.08);
        self.account(model, |account| {
            account.kind == kind
                && account.currency == currency
                && (any_status || account.status == Status::Active)
        })
    }

    pub(super) fn amount(&mut self, model: &Model, from: AccountId) -> i64 {
        let available = model.accounts.get(&from.0).map_or(0, |account| account.available());
        let available = available.clamp(0, i64::MAX.into()) as i64;
        match self.rng.random_range(0..100) {
            0..2 => 0,
            2 => -self.rng.random_range(1..1_000),
            3 => i64::MAX,
            4 => i64::MAX - self.rng.random_range(0..100_000_000),
            5..9 => available,
            9 => available.saturating_add(1),
            10..30 => self.rng.random_range(1..200_000),
            _ => self.rng.random_range(1..5_000),
        }
    }

    /// One of the open holds, mostly; or one that ended, or none.
    pub(super) fn hold(&mut self, model: &Model) -> ledger::Sequence {
        let open: Vec<u64> = model.holds.keys().copied().collect();
        let ended: Vec<u64> = model.ended.iter().copied().collect();
        let from = if open.is_empty() || self.rng.random_bool(0.15) { ended } else { open };
        if from.is_empty() || self.rng.random_bool(0.03) {
            return ledger::Sequence(self.rng.random_range(0..model.head() + 3));
        }
        ledger::Sequence(from[self.rng.random_range(0..from.len())])
    }
}
