//! The late list: what is booked on one day and counts from another.
//!
//! A history is in booking order, so the balance at the end of a booking date is one look at it. The balance by
//! value date is that one, put right by the few entries whose two dates lie on different sides of the day:
//!
//! ```text
//!  by value date D  =  by booking date D  +  booked after D, value on D or before
//!                                         −  booked on D or before, value after D
//! ```
//! Entries whose dates are the same, nearly all, are never here and cost one comparison.
//!
//! One sum stands for an account, a booking date and a value date, however many entries made it. Value dates
//! are bounded, so a day further back than that is **settled**: no entry to come can count from it or from
//! before it. This list knows the days that can still change; a settled one is read from the journal, where
//! it stays as it is. So an account keeps what was booked within two such bounds and nothing grows for ever.

use std::collections::BTreeMap;

use crate::account::Side;
use crate::date::Date;
use crate::event::Event;
use crate::ids::AccountId;
use crate::limits::{VALUE_DATE_AHEAD_DAYS, VALUE_DATE_BACK_DAYS};

/// Days of booking dates that an account keeps: an unsettled day and all that is booked around it.
const KEPT_DAYS: i32 = VALUE_DATE_BACK_DAYS + VALUE_DATE_AHEAD_DAYS;

/// The entries with two dates, summed up. See the module's story.
#[derive(Clone, Default, PartialEq, Debug)]
pub(crate) struct LateList {
    /// Debits less credits, minor units. Wider than an amount: many of them add up here.
    sums: BTreeMap<Dates, i128>,
}

/// An account, a booking date and a value date.
pub(crate) type Dates = (AccountId, Date, Date);

impl LateList {
    /// Takes in a transaction whose value date is not its booking date.
    pub(crate) fn add(&mut self, event: &Event) {
        for entry in event.posted() {
            self.forget(entry.account, back(event.booking, KEPT_DAYS));
            let amount = i128::from(entry.amount);
            let sum = self.sums.entry((entry.account, event.booking, event.value)).or_default();
            *sum += if entry.side == Side::Debit { amount } else { -amount };
        }
    }

    /// What turns the account's balance by booking date into the one by value date, debits less credits.
    pub(crate) fn correction(&self, account: AccountId, date: Date) -> i128 {
        let (first, last) = booked_around(date);
        let around = (account, first, Date(i32::MIN))..=(account, last, Date(i32::MAX));
        let parts = self.sums.range(around);
        parts.map(|((_, booking, value), sum)| counts(*booking, *value, date) * sum).sum()
    }

    /// Everything, in order.
    pub(crate) fn sums(&self) -> impl ExactSizeIterator<Item = (&Dates, &i128)> {
        self.sums.iter()
    }

    /// Puts back what [`LateList::sums`] told.
    pub(crate) fn restore(&mut self, dates: Dates, sum: i128) {
        self.sums.insert(dates, sum);
    }

    /// The sums of one account.
    pub(crate) fn of(&self, account: AccountId) -> Vec<(Dates, i128)> {
        self.sums.range(all_of(account)).map(|(dates, sum)| (*dates, *sum)).collect()
    }

    /// Puts the sums of one account back as [`LateList::of`] told them.
    pub(crate) fn replace(&mut self, account: AccountId, sums: Vec<(Dates, i128)>) {
        for (dates, _) in self.of(account) {
            self.sums.remove(&dates);
        }
        self.sums.extend(sums);
    }

    /// Drops what was booked on an account before a day. Each sum is dropped once, by a later entry.
    fn forget(&mut self, account: AccountId, before: Date) {
        let old = (account, Date(i32::MIN), Date(i32::MIN))..(account, before, Date(i32::MIN));
        while let Some((dates, _)) = self.sums.range(old.clone()).next() {
            let dates = *dates;
            self.sums.remove(&dates);
        }
    }
}

fn all_of(account: AccountId) -> std::ops::RangeInclusive<Dates> {
    (account, Date(i32::MIN), Date(i32::MIN))..=(account, Date(i32::MAX), Date(i32::MAX))
}

/// How often an entry counts in the balance by value date beyond the balance by booking date: once more if it
/// was booked later, once less if its value is yet to come.
#[must_use]
pub fn counts(booking: Date, value: Date, date: Date) -> i128 {
    i128::from(value <= date) - i128::from(booking <= date)
}

/// The first and last booking date of entries that can count so at all.
#[must_use]
pub fn booked_around(date: Date) -> (Date, Date) {
    (back(date, VALUE_DATE_AHEAD_DAYS), Date(date.0.saturating_add(VALUE_DATE_BACK_DAYS)))
}

/// No entry to come can count from this day or before, since `newest` is the newest business day.
#[must_use]
pub fn is_settled(date: Date, newest: Date) -> bool {
    date < back(newest, VALUE_DATE_BACK_DAYS)
}

fn back(date: Date, days: i32) -> Date {
    Date(date.0.saturating_sub(days))
}
