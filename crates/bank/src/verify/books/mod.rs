//! The books, folded a second time by code of their own: plain tables, and every claim of an event compared
//! with what the events before it make.
//!
//! After something wrong the fold goes on with what the entries say, so that one damage is reported once
//! and not by every event that follows.

mod account;
mod holds;
mod late;

use std::collections::{BTreeMap, HashSet};

use ledger::{Body, Currency, Effect, Event, HoldEnd, Side, Status, TransactionKind};

use super::findings::{Findings, Subject};
use super::reversals::Reversals;
pub(super) use account::Account;
pub(super) use holds::{Hold, Holds};
pub(super) use late::Late;

/// All that the events so far make.
#[derive(Default)]
pub(super) struct Books {
    pub(super) head: u64,
    pub(super) time: i64,
    pub(super) bank: [u8; 16],
    pub(super) timeline: u32,
    pub(super) bank_name: Box<str>,
    pub(super) day_open: Option<i32>,
    pub(super) day_newest: Option<i32>,
    /// By id, from 1.
    pub(super) accounts: Vec<Account>,
    pub(super) holds: Holds,
    pub(super) reversals: Reversals,
    pub(super) late: Late,
    /// By number, from 1: kind and text.
    pub(super) names: Vec<(u8, Box<str>)>,
    named: HashSet<(u8, Box<str>)>,
    pub(super) transactions: u64,
    /// Members that the newest group still waits for.
    members_due: u16,
    /// Events come without skip pointers, as a database keeps them.
    without_skips: bool,
}

impl Books {
    /// For events that come without skip pointers.
    pub(super) fn without_skips() -> Books {
        Books { without_skips: true, ..Books::default() }
    }

    /// Folds the next event in.
    pub(super) fn fold(&mut self, event: &Event, found: &mut Findings) {
        let sequence = event.sequence.0;
        found.expect(event.time >= self.time, Subject::Days, sequence, || "time goes back".into());
        (self.head, self.time) = (sequence, event.time);
        self.group(event, found);
        if let Body::AccountOpened(opening) = &event.body {
            let id = event.entries.first().map_or(0, |entry| entry.account.0);
            let next = self.accounts.len() as u64 + 1;
            found.checked(Subject::Accounts);
            found.expect(id == next, Subject::Accounts, sequence, || {
                format!("account {id} is opened where {next} is next")
            });
            self.accounts.push(Account::new(opening, sequence));
        }
        self.effects(event, found);
        self.entries(event, found);
        self.body(event, found);
        for entry in &event.entries {
            if let Some(account) = self.account(entry.account.0) {
                account.settled(entry.account.0, sequence, found);
            }
        }
    }

    /// What must hold at the end.
    pub(super) fn settle(&self, found: &mut Findings) {
        self.holds.settle(&self.accounts, found);
        found.expect(self.members_due == 0, Subject::Groups, self.head, || {
            format!("the journal ends before {} members of the newest group", self.members_due)
        });
        let mut sums: BTreeMap<u16, [u128; 2]> = BTreeMap::new();
        for account in &self.accounts {
            let sum = sums.entry(account.currency).or_default();
            sum[0] += account.posted[0];
            sum[1] += account.posted[1];
        }
        for (currency, [debits, credits]) in sums {
            found.checked(Subject::TrialBalance);
            if debits != credits {
                let name = Currency::from_numeric(currency).map_or("?", Currency::code);
                let text = format!("{name}: debits are {debits}, credits {credits} minor units");
                found.wrong(Subject::TrialBalance, None, text);
            }
        }
    }

    pub(super) fn account(&self, id: u64) -> Option<&Account> {
        self.accounts.get(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    fn account_mut(&mut self, id: u64) -> Option<&mut Account> {
        self.accounts.get_mut(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    /// Members follow their header, one after the other, and nothing else is a member.
    fn group(&mut self, event: &Event, found: &mut Findings) {
        let due = self.members_due > 0;
        found.expect(event.in_group == due, Subject::Groups, event.sequence.0, || {
            let what = if due { "a group is not complete" } else { "a member without a group" };
            what.into()
        });
        self.members_due = self.members_due.saturating_sub(1);
        if let Body::Group { members } = event.body {
            found.checked(Subject::Groups);
            found.expect(members > 0 && !due, Subject::Groups, event.sequence.0, || {
                "a group is empty or stands within another".into()
            });
            self.members_due = members;
        }
    }

    /// Each kind of event does to accounts what its kind may do, and a transaction balances.
    fn effects(&self, event: &Event, found: &mut Findings) {
        let count = |effect: Effect| event.entries.iter().filter(|entry| entry.effect == effect).count();
        let (posted, held, released, touched) =
            (count(Effect::Posted), count(Effect::Held), count(Effect::Released), count(Effect::Touched));
        let fits = match &event.body {
            Body::Posted { hold, .. } => {
                posted >= 2 && held == 0 && touched == 0 && (released > 0) == hold.is_some()
            }
            Body::HoldPlaced { .. } => posted + released + touched == 0 && held > 0,
            Body::HoldEnded { .. } => posted + held + touched == 0 && released > 0,
            Body::AccountOpened(_) | Body::AccountChanged { .. } => {
                posted + held + released == 0 && touched == 1
            }
            _ => event.entries.is_empty(),
        };
        found.expect(fits, Subject::Transactions, event.sequence.0, || {
            format!(
                "its kind does not go with {posted} posted, {held} held, {released} released and {touched} \
                 other entries"
            )
        });
        if !matches!(event.body, Body::Posted { .. }) {
            return;
        }
        found.checked(Subject::Transactions);
        let mut sums: BTreeMap<u16, i128> = BTreeMap::new();
        for entry in event.entries.iter().filter(|entry| entry.effect == Effect::Posted) {
            let signed = if entry.side == Side::Debit { 1 } else { -1 } * i128::from(entry.amount);
            *sums.entry(entry.currency.numeric()).or_default() += signed;
        }
        let surplus = sums.iter().find(|(_, sum)| **sum != 0);
        found.expect(surplus.is_none(), Subject::Transactions, event.sequence.0, || {
            let surplus = surplus.map_or(0, |(_, sum)| *sum);
            format!("debits and credits of the transaction differ by {surplus} minor units")
        });
    }

    fn entries(&mut self, event: &Event, found: &mut Findings) {
        let (sequence, skips) = (event.sequence.0, !self.without_skips);
        for entry in &event.entries {
            match self.account_mut(entry.account.0) {
                Some(account) => account.fold(entry, sequence, skips, found),
                None => {
                    let text = format!("an entry on account {}, which does not exist", entry.account);
                    found.wrong(Subject::Accounts, sequence, text);
                }
            }
        }
    }

    fn body(&mut self, event: &Event, found: &mut Findings) {
        let sequence = event.sequence.0;
        match &event.body {
            Body::BankOpened { bank, timeline, name } => {
                (self.bank, self.timeline, self.bank_name) = (*bank, *timeline, name.clone());
                found.expect(sequence == 1, Subject::Events, sequence, || "a bank is opened once".into());
            }
            Body::Named { id, kind, text } => self.name(id.0, *kind as u8, text, sequence, found),
            Body::AccountOpened(_) | Body::Refused(_) | Body::Group { .. } => {}
            Body::AccountChanged { status, overdraft_limit } => {
                self.change(event, *status, *overdraft_limit, found);
            }
            Body::HoldPlaced { expires_at } => {
                self.booked(event, found);
                self.holds.place(event, *expires_at, found);
            }
            Body::HoldEnded { hold, how } => {
                if let Some(ended) = self.holds.end(hold.0, event, found) {
                    let due = *how != HoldEnd::Expired || ended.expires_at <= event.time;
                    found.expect(due, Subject::Holds, sequence, || {
                        format!("hold {hold} expired before its time")
                    });
                }
            }
            Body::Posted { kind, hold, reverses } => {
                self.transactions += 1;
                self.booked(event, found);
                self.late.add(event, found);
                if let Some(hold) = hold {
                    self.capture(hold.0, event, found);
                }
                let consistent = (*kind == TransactionKind::Reversal) == reverses.is_some()
                    && (*kind == TransactionKind::Capture) == hold.is_some();
                found.expect(consistent, Subject::Transactions, sequence, || {
                    format!("a {} without what makes it one", kind.name())
                });
                if let Some((original, indices)) = reverses {
                    self.reversals.add(event, original.0, indices, found);
                }
            }
            Body::DayOpened { date } => {
                found.checked(Subject::Days);
                let later = self.day_newest.is_none_or(|newest| newest < date.0);
                found.expect(self.day_open.is_none() && later, Subject::Days, sequence, || {
                    format!("{date} is opened while another day is open, or after a later one")
                });
                (self.day_open, self.day_newest) = (Some(date.0), Some(date.0));
            }
            Body::DayClosed { date } => {
                found.expect(self.day_open == Some(date.0), Subject::Days, sequence, || {
                    format!("{date} is closed and is not open")
                });
                self.day_open = None;
            }
        }
    }

    fn booked(&self, event: &Event, found: &mut Findings) {
        found.checked(Subject::Days);
        found.expect(self.day_open == Some(event.booking.0), Subject::Days, event.sequence.0, || {
            format!("booked on {}, which is not the open day", event.booking)
        });
    }

    fn capture(&mut self, id: u64, event: &Event, found: &mut Findings) {
        let Some(hold) = self.holds.end(id, event, found) else { return };
        let taken = event.posted().find(|entry| entry.account.0 == hold.account);
        let within = taken.is_some_and(|entry| entry.side as u8 == hold.side && entry.amount <= hold.amount);
        found.expect(within, Subject::Holds, event.sequence.0, || {
            format!("the capture takes more than hold {id} held, or something else")
        });
        found.expect(event.time < hold.expires_at, Subject::Holds, event.sequence.0, || {
            format!("hold {id} was captured after its time")
        });
    }

    fn name(&mut self, id: u32, kind: u8, text: &str, sequence: u64, found: &mut Findings) {
        found.checked(Subject::Names);
        let next = self.names.len() as u32 + 1;
        found.expect(id == next, Subject::Names, sequence, || {
            format!("name {text:?} has number {id} where {next} is next")
        });
        self.names.push((kind, text.into()));
        let new = self.named.insert((kind, text.into()));
        found.expect(new, Subject::Names, sequence, || format!("name {text:?} has two numbers"));
    }

    fn change(
        &mut self,
        event: &Event,
        status: Option<(Status, Status)>,
        limit: Option<(i64, i64)>,
        found: &mut Findings,
    ) {
        found.checked(Subject::Accounts);
        let id = event.entries.first().map_or(0, |entry| entry.account.0);
        let Some(account) = self.account_mut(id) else { return };
        let follows = status.is_none_or(|(before, _)| before == account.status && before != Status::Closed)
            && limit.is_none_or(|(before, _)| before == account.limit);
        found.expect(follows, Subject::Accounts, event.sequence.0, || {
            format!("account {id} did not stand where the change says")
        });
        account.status = status.map_or(account.status, |(_, after)| after);
        account.limit = limit.map_or(account.limit, |(_, after)| after);
    }
}
