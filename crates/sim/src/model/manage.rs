//! Opening accounts and changing them.

use ledger::entry::Effect;
use ledger::{Code, Command, Side, Status};

use super::Model;
use super::account::Account;
use super::expect::{Draft, Refused};
use super::fact::{Leg, What};

impl Model {
    pub(super) fn manage(&self, command: &Command) -> Result<Draft, Refused> {
        match command {
            Command::OpenAccount(wish) => self.open(wish),
            Command::ChangeAccount { account, status, overdraft_limit, expected_version } => {
                self.change(account.0, *status, overdraft_limit.map(i128::from), *expected_version)
            }
            _ => unreachable!("called for accounts"),
        }
    }

    fn open(&self, wish: &ledger::command::OpenAccount) -> Result<Draft, Refused> {
        if wish.overdraft_limit < 0 {
            return Err(Refused::new(Code::LimitNegative));
        }
        if wish.status != Status::Pending && wish.status != Status::Active {
            return Err(Refused::new(Code::StatusNotReachable));
        }
        if wish.name.len() > 128 {
            return Err(Refused::new(Code::TextTooLong).with(wish.name.len() as i128, 128));
        }
        let id = self.accounts.len() as u64 + 1;
        let number = match wish.number.as_deref() {
            Some(text) if text.len() > 34 => {
                return Err(Refused::new(Code::TextTooLong).with(text.len() as i128, 34));
            }
            Some(text) if text.is_empty() || &text.as_bytes()[..text.len().min(2)] == b"BC" => {
                return Err(Refused::new(Code::NumberReserved));
            }
            Some(text) if self.numbers.contains(text) => return Err(Refused::new(Code::NumberTaken)),
            Some(text) => text.to_owned(),
            None => format!("BC{id:010}"),
        };
        let leg = Leg {
            account: id,
            side: Side::Debit,
            amount: 0,
            effect: Effect::Touched,
            currency: wish.currency,
            balance_after: 0,
            version: 1,
            previous: 0,
        };
        let what = What::Opened {
            account: id,
            kind: wish.account_type,
            currency: wish.currency,
            status: wish.status,
            limit: wish.overdraft_limit.into(),
            owner: wish.owner.0,
            number,
            name: wish.name.to_string(),
        };
        Ok(Draft { what, legs: vec![leg] })
    }

    fn change(
        &self,
        id: u64,
        status: Option<Status>,
        limit: Option<i128>,
        expected: Option<u64>,
    ) -> Result<Draft, Refused> {
        let account = self.account(id)?;
        if let Some(expected) = expected.filter(|expected| *expected != account.version) {
            let refused = Refused::on(Code::VersionDiffers, id);
            return Err(refused.with(account.version.into(), expected.into()));
        }
        if status.is_none() && limit.is_none() {
            return Err(Refused::on(Code::NothingToChange, id));
        }
        if let Some(status) = status {
            may_become(account, id, status)?;
        }
        if let Some(limit) = limit {
            may_have(account, id, limit)?;
        }
        let leg = Leg {
            account: id,
            side: Side::Debit,
            amount: 0,
            effect: Effect::Touched,
            currency: account.currency,
            balance_after: account.balance(),
            version: account.version + 1,
            previous: account.last,
        };
        let what = What::Changed {
            account: id,
            status: status.map(|status| (account.status, status)),
            limit: limit.map(|limit| (account.limit, limit)),
        };
        Ok(Draft { what, legs: vec![leg] })
    }
}

fn may_become(account: &Account, id: u64, to: Status) -> Result<(), Refused> {
    let from = account.status;
    if from == Status::Closed {
        return Err(Refused::on(Code::AccountClosed, id));
    }
    if to == Status::Closed {
        if account.balance() != 0 {
            return Err(Refused::on(Code::AccountNotEmpty, id).with(account.balance(), 0));
        }
        let held = account.reserved + account.promised;
        if held != 0 {
            return Err(Refused::on(Code::AccountHasHolds, id).with(held, 0));
        }
        return Ok(());
    }
    let steps = [
        (Status::Pending, Status::Active),
        (Status::Frozen, Status::Active),
        (Status::Active, Status::Frozen),
    ];
    if steps.contains(&(from, to)) { Ok(()) } else { Err(Refused::on(Code::StatusNotReachable, id)) }
}

fn may_have(account: &Account, id: u64, limit: i128) -> Result<(), Refused> {
    if limit < 0 {
        return Err(Refused::on(Code::LimitNegative, id));
    }
    if account.status == Status::Closed {
        return Err(Refused::on(Code::AccountClosed, id));
    }
    let in_use = account.reserved - account.balance();
    if limit < in_use {
        return Err(Refused::on(Code::LimitBelowUse, id).with(in_use, limit));
    }
    Ok(())
}
