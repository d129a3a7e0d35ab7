//! The auditor: the books once more, from the commands, in plain numbers.
//!
//! Shares no code with the rules, only the words in which commands are written; the limits are repeated here
//! on purpose. It says yes or no to a command (never why) and keeps what follows from a yes.

use std::collections::{BTreeMap, BTreeSet};

use ledger::command::{Extent, Movement};
use ledger::{
    AccountId, AccountType, Command, Currency, Date, Digest, Line, Request, Sequence, Side, State, Status,
    TransactionKind,
};

#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    kind: AccountType,
    currency: Currency,
    status: Status,
    limit: i128,
    debits: i128,
    credits: i128,
    reserved: i128,
    promised: i128,
    version: u64,
}

#[derive(Clone, Debug)]
struct Hold {
    account: AccountId,
    to: Option<AccountId>,
    amount: i128,
    expires_at: i64,
}

#[derive(Clone, Debug)]
struct Transaction {
    kind: TransactionKind,
    lines: Vec<Line>,
    reversed: Vec<i128>,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub accounts: BTreeMap<AccountId, Account>,
    holds: BTreeMap<Sequence, Hold>,
    transactions: BTreeMap<Sequence, Transaction>,
    numbers: BTreeSet<String>,
    names: BTreeSet<(u8, String)>,
    keys: BTreeSet<Digest>,
    open_day: Option<Date>,
    newest_day: Option<Date>,
}

const DAY_US: i64 = 86_400_000_000;

fn grows_by_debit(kind: AccountType) -> bool {
    kind == AccountType::Asset || kind == AccountType::Expense
}

impl Account {
    fn balance(&self) -> i128 {
        if grows_by_debit(self.kind) { self.debits - self.credits } else { self.credits - self.debits }
    }
}

impl Model {
    /// Yes or no; after a yes the model stands after the command, after a no where it stood.
    pub fn decide(&mut self, request: &Request, sequence: Sequence, time: i64) -> bool {
        self.attempt(|model| model.one(request, sequence, time))
    }

    pub fn decide_group(
        &mut self,
        header: &Request,
        members: &[Request],
        sequence: Sequence,
        time: i64,
    ) -> bool {
        self.attempt(|model| {
            yes((1..=8_192).contains(&members.len()))?;
            model.keys.insert(header.key);
            for (member, at) in members.iter().zip(sequence.0 + 1..) {
                yes(member.key.is_none() || !model.keys.contains(&member.key))?;
                yes(!matches!(
                    member.command,
                    Command::OpenAccount(_)
                        | Command::ChangeAccount { .. }
                        | Command::Expire { .. }
                        | Command::Prepare(_)
                        | Command::Commit { .. }
                        | Command::Abort { .. }
                        | Command::OpenDay { .. }
                        | Command::CloseDay { .. }
                        | Command::Name { .. }
                ))?;
                model.one(member, Sequence(at), time)?;
            }
            Some(())
        })
    }

    /// A refusal was recorded: its key is used up.
    pub fn refused(&mut self, key: Digest) {
        self.keys.insert(key);
    }

    /// Account for account, what the books say and what the model says.
    pub fn agrees_with(&self, state: &State) {
        assert_eq!(state.account_count(), self.accounts.len() as u64);
        for (id, account) in state.accounts() {
            let seen = Account {
                kind: account.account_type,
                currency: account.currency(),
                status: account.status,
                limit: account.overdraft_limit.into(),
                debits: account.posted(Side::Debit) as i128,
                credits: account.posted(Side::Credit) as i128,
                reserved: account.reserved(),
                promised: account.held(account.normal_side()),
                version: account.version,
            };
            let expected = &self.accounts[&id];
            assert_eq!(&seen, expected, "account {id}");
            assert_eq!(account.ledger_balance(), expected.balance());
            let available = expected.balance() - expected.reserved + expected.limit;
            assert_eq!(account.available_balance(), available);
        }
        let open: Vec<_> = self.holds.keys().copied().collect();
        assert_eq!(state.holds().map(|(id, _)| id).collect::<Vec<_>>(), open, "open holds");
        for (id, transaction) in &self.transactions {
            for (index, reversed) in (0..).zip(&transaction.reversed) {
                assert_eq!(i128::from(state.reversed(*id, index)), *reversed, "entry {index} of {id}");
            }
        }
    }

    fn attempt(&mut self, change: impl FnOnce(&mut Model) -> Option<()>) -> bool {
        let mut changed = self.clone();
        let accepted = change(&mut changed).is_some();
        if accepted {
            *self = changed;
        }
        accepted
    }

    fn one(&mut self, request: &Request, sequence: Sequence, time: i64) -> Option<()> {
        if !request.key.is_none() {
            self.keys.insert(request.key);
        }
        let posts_nothing = matches!(
            request.command,
            Command::Hold { .. }
                | Command::Void { .. }
                | Command::Prepare(_)
                | Command::Abort { .. }
                | Command::OpenAccount(_)
                | Command::ChangeAccount { .. }
                | Command::OpenDay { .. }
                | Command::CloseDay { .. }
                | Command::Name { .. }
        );
        yes(request.value.is_none() || !posts_nothing)?;
        match &request.command {
            Command::Deposit(it) => {
                yes(self.accounts.get(&it.from)?.kind == AccountType::Asset)?;
                yes(self.accounts.get(&it.to)?.kind == AccountType::Liability)?;
                self.move_money(request, sequence, it, Side::Debit, TransactionKind::Deposit)
            }
            Command::Withdraw(it) => {
                yes(self.accounts.get(&it.from)?.kind == AccountType::Liability)?;
                yes(self.accounts.get(&it.to)?.kind == AccountType::Asset)?;
                self.move_money(request, sequence, it, Side::Debit, TransactionKind::Withdrawal)
            }
            Command::Transfer(it) => {
                let by_debit = grows_by_debit(self.accounts.get(&it.from)?.kind);
                yes(by_debit == grows_by_debit(self.accounts.get(&it.to)?.kind))?;
                let shrinks = if by_debit { Side::Credit } else { Side::Debit };
                self.move_money(request, sequence, it, shrinks, TransactionKind::Transfer)
            }
            Command::Post { lines } => {
                yes((2..=128).contains(&lines.len()))?;
                self.post(request, sequence, lines, TransactionKind::Journal, false)
            }
            Command::Hold { account, to, amount, currency, expires_at } => {
                let expires_at = expires_at.unwrap_or(time + 7 * DAY_US);
                yes(expires_at > time && expires_at <= time + 400 * DAY_US)?;
                self.reserve(request, sequence, (*account, *to), (*amount, *currency), expires_at)
            }
            Command::Prepare(it) => {
                self.reserve(request, sequence, (it.from, Some(it.to)), (it.amount, it.currency), i64::MAX)
            }
            Command::Capture { hold: id, amount, to } => {
                let hold = self.holds.get(id)?.clone();
                yes(hold.expires_at > time && hold.expires_at < i64::MAX)?;
                let receiver = match (hold.to, *to) {
                    (Some(promised), None) => promised,
                    (Some(promised), Some(named)) => yes(promised == named).map(|()| named)?,
                    (None, named) => named?,
                };
                let amount = amount.unwrap_or(hold.amount as i64);
                yes(i128::from(amount) <= hold.amount)?;
                let by_debit = grows_by_debit(self.accounts[&hold.account].kind);
                yes(by_debit == grows_by_debit(self.accounts.get(&receiver)?.kind))?;
                let (currency, to_promised) = (self.accounts[&hold.account].currency, hold.to.is_some());
                self.give_back(*id)?;
                // Given back and posted is one event: one step of each account's version.
                self.accounts.get_mut(&hold.account)?.version -= 1;
                if to_promised {
                    self.accounts.get_mut(&receiver)?.version -= 1;
                }
                let movement = Movement { from: hold.account, to: receiver, amount, currency };
                let shrinks = if by_debit { Side::Credit } else { Side::Debit };
                self.move_money(request, sequence, &movement, shrinks, TransactionKind::Capture)
            }
            Command::Void { hold } => {
                yes(self.holds.get(hold)?.expires_at < i64::MAX)?;
                self.give_back(*hold)
            }
            Command::Commit { hold: id } => {
                let hold = self.holds.get(id)?.clone();
                yes(hold.expires_at == i64::MAX)?;
                let (to, currency) = (hold.to?, self.accounts[&hold.account].currency);
                self.give_back(*id)?;
                // Given back and posted is one event: one step of each account's version. A freeze is no hindrance.
                let mut frozen = Vec::new();
                for id in [hold.account, to] {
                    let account = self.accounts.get_mut(&id)?;
                    account.version -= 1;
                    if account.status == Status::Frozen {
                        account.status = Status::Active;
                        frozen.push(id);
                    }
                }
                let shrinks = if grows_by_debit(self.accounts[&hold.account].kind) {
                    Side::Credit
                } else {
                    Side::Debit
                };
                let movement = Movement { from: hold.account, to, amount: hold.amount as i64, currency };
                self.move_money(request, sequence, &movement, shrinks, TransactionKind::Capture)?;
                for id in frozen {
                    self.accounts.get_mut(&id)?.status = Status::Frozen;
                }
                Some(())
            }
            Command::Abort { hold } => {
                yes(self.holds.get(hold)?.expires_at == i64::MAX)?;
                self.give_back(*hold)
            }
            Command::Expire { hold } => {
                yes(self.holds.get(hold)?.expires_at <= time)?;
                self.give_back(*hold)
            }
            Command::Reverse { original, extent } => {
                self.reverse(request, sequence, original.sequence, extent)
            }
            Command::OpenAccount(wish) => {
                yes(wish.overdraft_limit >= 0 && wish.name.len() <= 128)?;
                yes(wish.status == Status::Pending || wish.status == Status::Active)?;
                if let Some(number) = &wish.number {
                    yes(!number.is_empty() && number.len() <= 34 && !number.starts_with("BC"))?;
                    yes(self.numbers.insert(number.to_string()))?;
                }
                let account = Account {
                    kind: wish.account_type,
                    currency: wish.currency,
                    status: wish.status,
                    limit: wish.overdraft_limit.into(),
                    debits: 0,
                    credits: 0,
                    reserved: 0,
                    promised: 0,
                    version: 1,
                };
                self.accounts.insert(AccountId(self.accounts.len() as u64 + 1), account);
                Some(())
            }
            Command::ChangeAccount { account, status, overdraft_limit, expected_version } => {
                let account = self.accounts.get_mut(account)?;
                yes(expected_version.is_none_or(|expected| expected == account.version))?;
                yes(status.is_some() || overdraft_limit.is_some())?;
                yes(account.status != Status::Closed)?;
                if let Some(limit) = overdraft_limit {
                    yes(*limit >= 0 && i128::from(*limit) + account.balance() - account.reserved >= 0)?;
                }
                if let Some(to) = status {
                    let empty = account.balance() == 0 && account.reserved == 0 && account.promised == 0;
                    yes(match to {
                        Status::Pending => false,
                        Status::Active => account.status != Status::Active,
                        Status::Frozen => account.status == Status::Active,
                        Status::Closed => empty,
                    })?;
                    account.status = *to;
                }
                account.limit = overdraft_limit.map_or(account.limit, i128::from);
                account.version += 1;
                Some(())
            }
            Command::OpenDay { date } => {
                let after = self.newest_day.unwrap_or(Date((time / DAY_US) as i32 - 1));
                yes(self.open_day.is_none() && after < *date)?;
                (self.open_day, self.newest_day) = (Some(*date), Some(*date));
                Some(())
            }
            Command::CloseDay { date } => yes(self.open_day.take() == Some(*date)),
            Command::Name { kind, text } => yes(self.names.insert((*kind as u8, text.to_string()))),
        }
    }

    fn move_money(
        &mut self,
        request: &Request,
        sequence: Sequence,
        movement: &Movement,
        from: Side,
        kind: TransactionKind,
    ) -> Option<()> {
        let Movement { amount, currency, .. } = *movement;
        let to = if from == Side::Debit { Side::Credit } else { Side::Debit };
        let lines = [
            Line { account: movement.from, side: from, amount, currency },
            Line { account: movement.to, side: to, amount, currency },
        ];
        self.post(request, sequence, &lines, kind, false)
    }

    fn post(
        &mut self,
        request: &Request,
        sequence: Sequence,
        lines: &[Line],
        kind: TransactionKind,
        passes_freeze: bool,
    ) -> Option<()> {
        self.day_and_value(request)?;
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        let mut touched: BTreeMap<AccountId, Side> = BTreeMap::new();
        for line in lines {
            yes(line.amount > 0)?;
            yes(touched.insert(line.account, line.side).is_none_or(|side| side == line.side))?;
            let amount = i128::from(line.amount);
            let account = self.usable(line.account, line.currency, passes_freeze)?;
            *sums.entry(line.currency).or_default() += match line.side {
                Side::Debit => amount,
                Side::Credit => -amount,
            };
            match line.side {
                Side::Debit => account.debits += amount,
                Side::Credit => account.credits += amount,
            }
        }
        yes(sums.values().all(|sum| *sum == 0))?;
        for (id, side) in touched {
            let account = self.accounts.get_mut(&id)?;
            account.version += 1;
            if (side == Side::Debit) == grows_by_debit(account.kind) {
                yes(account.balance() + account.promised <= i64::MAX.into())?;
            } else {
                yes(account.balance() - account.reserved + account.limit >= 0)?;
            }
        }
        let reversed = vec![0; lines.len()];
        self.transactions.insert(sequence, Transaction { kind, lines: lines.into(), reversed });
        Some(())
    }

    fn reverse(
        &mut self,
        request: &Request,
        sequence: Sequence,
        of: Sequence,
        extent: &Extent,
    ) -> Option<()> {
        let original = self.transactions.get_mut(&of)?;
        yes(original.kind != TransactionKind::Reversal)?;
        let parts: Vec<(usize, i128)> = match extent {
            Extent::Rest => (0..original.lines.len())
                .map(|index| (index, i128::from(original.lines[index].amount) - original.reversed[index]))
                .filter(|(_, left)| *left > 0)
                .collect(),
            Extent::Amount(amount) => {
                yes(original.lines.len() == 2)?;
                vec![(0, i128::from(*amount)), (1, i128::from(*amount))]
            }
            Extent::Entries(named) => {
                let distinct: BTreeSet<_> = named.iter().map(|(index, _)| index).collect();
                yes(distinct.len() == named.len())?;
                named.iter().map(|(index, amount)| (usize::from(*index), i128::from(*amount))).collect()
            }
        };
        yes(parts.len() >= 2)?;
        let mut lines = Vec::new();
        for (index, amount) in parts {
            let line = *original.lines.get(index)?;
            original.reversed[index] += amount;
            yes(amount > 0 && original.reversed[index] <= i128::from(line.amount))?;
            let side = if line.side == Side::Debit { Side::Credit } else { Side::Debit };
            lines.push(Line { side, amount: amount as i64, ..line });
        }
        self.post(request, sequence, &lines, TransactionKind::Reversal, true)
    }

    fn reserve(
        &mut self,
        request: &Request,
        sequence: Sequence,
        (account, to): (AccountId, Option<AccountId>),
        (amount, currency): (i64, Currency),
        expires_at: i64,
    ) -> Option<()> {
        self.day_and_value(request)?;
        yes(amount > 0 && to != Some(account))?;
        let amount = i128::from(amount);
        let held = self.usable(account, currency, false)?;
        yes(held.balance() - held.reserved + held.limit >= amount)?;
        held.reserved += amount;
        held.version += 1;
        let by_debit = grows_by_debit(held.kind);
        if let Some(to) = to {
            let promised = self.usable(to, currency, false)?;
            yes(grows_by_debit(promised.kind) == by_debit)?;
            yes(promised.balance() + promised.promised + amount <= i64::MAX.into())?;
            promised.promised += amount;
            promised.version += 1;
        }
        self.holds.insert(sequence, Hold { account, to, amount, expires_at });
        Some(())
    }

    fn give_back(&mut self, id: Sequence) -> Option<()> {
        let hold = self.holds.remove(&id)?;
        let account = self.accounts.get_mut(&hold.account)?;
        account.reserved -= hold.amount;
        account.version += 1;
        if let Some(to) = hold.to {
            let promised = self.accounts.get_mut(&to)?;
            promised.promised -= hold.amount;
            promised.version += 1;
        }
        Some(())
    }

    fn usable(&mut self, id: AccountId, currency: Currency, passes_freeze: bool) -> Option<&mut Account> {
        let account = self.accounts.get_mut(&id)?;
        yes(account.currency == currency)?;
        yes(account.status == Status::Active || passes_freeze && account.status == Status::Frozen)?;
        Some(account)
    }

    fn day_and_value(&self, request: &Request) -> Option<()> {
        let open = self.open_day?;
        yes(request.value.is_none_or(|value| (value.0 - open.0).abs() <= 366))
    }
}

fn yes(condition: bool) -> Option<()> {
    condition.then_some(())
}
