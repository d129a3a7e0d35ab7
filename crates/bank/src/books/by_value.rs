//! The balance by value date: what banks compute interest from.
//!
//! It has two parts, the balance by booking date and what is late around that day, and money may move between
//! two looks. So the rules thread is asked once, for the account and for its late sum; the first part is then
//! read from the history behind **that** account, where nothing changes any more. For a settled day the second
//! part is read there too.

use ledger::late::{booked_around, counts};
use ledger::limits::VALUE_DATE_AHEAD_DAYS;
use ledger::{Date, Side, State};

use super::history::{self, From, Moment, Step};
use crate::sequencer::{AccountView, Fault};
use crate::store::Reads;

/// Events of an account that are read for a settled day at most: one question must not keep a reader for long.
const EVENTS_MAX: u64 = 100_000;

/// An account at one moment, with what its balance on a value date needs of the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByValue {
    /// The account.
    pub view: AccountView,
    /// The value date.
    pub date: Date,
    /// The newest business day.
    pub newest: Option<Date>,
    /// What is late around that day; none if it is settled.
    late: Option<i128>,
}

impl ByValue {
    /// Of these books.
    #[must_use]
    pub fn of(state: &State, view: AccountView, date: Date) -> ByValue {
        let late = state.late(view.id, date);
        ByValue { view, date, newest: state.day().newest, late }
    }

    /// Beyond what any entry can have as its value date: told is the newest booking date.
    #[must_use]
    pub fn out_of_range(&self) -> Option<Date> {
        self.newest.filter(|newest| self.date.0 > newest.0.saturating_add(VALUE_DATE_AHEAD_DAYS))
    }

    /// The ledger balance of all entries whose value date is this one or earlier, on the account's normal side,
    /// in minor units. Before the first of them it is zero, whether the account was open or not.
    ///
    /// # Errors
    /// If the history cannot be read; [`Fault::TooFar`] if too much happened around a settled day.
    pub fn balance(&self, reads: &dyn Reads) -> Result<i128, Fault> {
        let AccountView { id, account, .. } = &self.view;
        let step = history::balance_at(reads, *id, account, Moment::Date(self.date))?;
        let booked = step.map_or(0, |step| i128::from(step.balance_after()));
        let late = match self.late {
            Some(late) => late,
            None => self.settled(reads)?,
        };
        Ok(booked + late)
    }

    /// What is late around a settled day, from the entries themselves.
    fn settled(&self, reads: &dyn Reads) -> Result<i128, Fault> {
        let AccountView { id, account, .. } = &self.view;
        let (first, last) = booked_around(self.date);
        let versions = history::versions(reads, *id, account, Some(first), Some(last))?;
        let events = (*versions.end() + 1).saturating_sub(*versions.start());
        if events > EVENTS_MAX {
            return Err(Fault::TooFar(format!(
                "account {id} has {events} events within a year of {}, at most {EVENTS_MAX} are read",
                self.date
            )));
        }
        let mut sum = 0;
        let mut next = Some(From::Down(*versions.end()));
        while let Some(from) = next {
            let page = history::page(reads, *id, account, from, &versions, usize::MAX, Step::is_late)?;
            sum += page.steps.iter().map(|step| self.part(step)).sum::<i128>();
            next = page.next;
        }
        Ok(sum)
    }

    fn part(&self, step: &Step) -> i128 {
        let normal: Side = self.view.account.normal_side();
        let signed =
            |amount: i64, side| if side == normal { i128::from(amount) } else { -i128::from(amount) };
        let amount: i128 = step.posted().map(|entry| signed(entry.amount, entry.side)).sum();
        counts(step.event.booking, step.event.value, self.date) * amount
    }
}
