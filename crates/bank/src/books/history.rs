//! An account's history: its events, linked from the newest to the first, with skips for long ways.
//!
//! No index: each entry names the account's previous event, and at every 64th version also one 64, 4,096 or
//! 262,144 versions earlier. The account's state names the newest. Versions count events without gaps, so a
//! version is a place in the history, and a page is found in some hundred steps however deep it lies.

use std::ops::RangeInclusive;

use ledger::{Account, AccountId, Date, Entry, Event, Sequence};

use crate::sequencer::Fault;
use crate::store::Reads;

/// One event of an account's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The event.
    pub event: Event,
    /// The account's first entry in it.
    pub entry: Entry,
}

impl Step {
    /// The account's ledger balance after the event, on its normal side, in minor units.
    #[must_use]
    pub fn balance_after(&self) -> i64 {
        let mut last = self.event.entries.iter().rev();
        last.find(|entry| entry.account == self.entry.account).unwrap_or(&self.entry).balance_after
    }

    /// Did it move money as of another day than the one on which it was booked?
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.event.value != self.event.booking && self.posted().next().is_some()
    }

    /// The account's entries that moved money, in order.
    pub fn posted(&self) -> impl Iterator<Item = &Entry> {
        self.event.posted().filter(|entry| entry.account == self.entry.account)
    }
}

/// Events visited for one page at most, filtered ones included; then the page ends with a cursor.
const VISITS_MAX: usize = 2_000;

/// Where to start and which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// From this version down.
    Down(u64),
    /// From this version up.
    Up(u64),
}

impl From {
    /// The version to start at.
    #[must_use]
    pub fn version(self) -> u64 {
        let (From::Down(version) | From::Up(version)) = self;
        version
    }
}

/// A page of an account's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The events, in the order asked for.
    pub steps: Vec<Step>,
    /// Where the next page starts; none at the end.
    pub next: Option<From>,
}

/// Reads one step of an account's history.
///
/// # Errors
/// If it cannot be read, or is not of this account.
pub fn step(reads: &dyn Reads, account: AccountId, at: Sequence) -> Result<Step, Fault> {
    let event =
        reads.event(at)?.ok_or_else(|| Fault::Unreadable(format!("event {at} is linked but not there")))?;
    let entry = event.entries.iter().find(|entry| entry.account == account).copied();
    let entry = entry
        .ok_or_else(|| Fault::Unreadable(format!("event {at} is linked but not of account {account}")))?;
    Ok(Step { event, entry })
}

/// The first step, going back from the newest event, for which `found` is true. `found` must stay true for
/// all earlier events once it is. None if it never is.
///
/// # Errors
/// If the history cannot be read.
pub fn seek(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    found: impl Fn(&Step) -> bool,
) -> Result<Option<Step>, Fault> {
    if account.last.0 == 0 {
        return Ok(None);
    }
    let mut here = step(reads, id, account.last)?;
    loop {
        if found(&here) {
            return Ok(Some(here));
        }
        // A skip is taken if it does not lead past the place.
        if here.entry.skip.0 != 0 {
            let far = step(reads, id, here.entry.skip)?;
            if !found(&far) {
                here = far;
                continue;
            }
        }
        if here.entry.previous.0 == 0 {
            return Ok(None);
        }
        here = step(reads, id, here.entry.previous)?;
    }
}

/// A page of an account's history: events of these versions for which `wanted` is true, at most `limit`.
///
/// # Errors
/// If the history cannot be read.
pub fn page(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    from: From,
    versions: &RangeInclusive<u64>,
    limit: usize,
    wanted: impl Fn(&Step) -> bool,
) -> Result<Page, Fault> {
    let (lowest, highest) = (*versions.start(), (*versions.end()).min(account.version));
    match from {
        From::Down(version) => down(reads, id, account, lowest..=version.min(highest), limit, wanted),
        From::Up(version) => up(reads, id, account, version.max(lowest)..=highest, limit, wanted),
    }
}

/// The versions of an account whose booking dates lie within these days, both included.
///
/// # Errors
/// If the history cannot be read.
pub fn versions(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    first: Option<Date>,
    last: Option<Date>,
) -> Result<RangeInclusive<u64>, Fault> {
    // Booking dates never fall, so each end is one way back along the skips.
    let newest = |found: &dyn Fn(&Step) -> bool| {
        seek(reads, id, account, found).map(|step| step.map_or(0, |step| step.entry.version))
    };
    let highest = match last {
        Some(last) => newest(&|step| step.event.booking <= last)?,
        None => account.version,
    };
    let before = match first {
        Some(first) => newest(&|step| step.event.booking < first)?,
        None => 0,
    };
    Ok(before + 1..=highest)
}

fn down(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    versions: RangeInclusive<u64>,
    limit: usize,
    wanted: impl Fn(&Step) -> bool,
) -> Result<Page, Fault> {
    let mut steps = Vec::new();
    let mut visits = 0;
    let mut next = match versions.is_empty() {
        true => None,
        false => seek(reads, id, account, |step| step.entry.version <= *versions.end())?,
    };
    while let Some(here) = next.take() {
        if here.entry.version < *versions.start() {
            break;
        }
        if steps.len() == limit || visits == VISITS_MAX {
            return Ok(Page { steps, next: Some(From::Down(here.entry.version)) });
        }
        visits += 1;
        let previous = here.entry.previous;
        if wanted(&here) {
            steps.push(here);
        }
        if previous.0 != 0 {
            next = Some(step(reads, id, previous)?);
        }
    }
    Ok(Page { steps, next: None })
}

/// The links lead back only, so a page going up is read from its far end: versions count without gaps, so
/// that end is known. Filtered pages may be short; the cursor goes on.
fn up(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    versions: RangeInclusive<u64>,
    limit: usize,
    wanted: impl Fn(&Step) -> bool,
) -> Result<Page, Fault> {
    if versions.is_empty() {
        return Ok(Page { steps: Vec::new(), next: None });
    }
    let first = (*versions.start()).max(1);
    let last = (*versions.end()).min(first.saturating_add(limit as u64 - 1));
    let mut steps = Vec::new();
    let mut next = seek(reads, id, account, |step| step.entry.version <= last)?;
    while let Some(here) = next.take() {
        if here.entry.version < first {
            break;
        }
        let previous = here.entry.previous;
        if wanted(&here) {
            steps.push(here);
        }
        if previous.0 != 0 {
            next = Some(step(reads, id, previous)?);
        }
    }
    steps.reverse();
    Ok(Page { steps, next: (last < *versions.end()).then_some(From::Up(last + 1)) })
}

/// The newest event of all for which `found` is true; 0 if there is none. `found` must be true for all
/// earlier events once it is: it is looked for by halving.
///
/// # Errors
/// If an event cannot be read.
pub fn newest(reads: &dyn Reads, found: impl Fn(&Event) -> bool) -> Result<Sequence, Fault> {
    let (mut yes, mut no) = (0, reads.head().sequence.0 + 1);
    while no - yes > 1 {
        let middle = Sequence(yes + (no - yes) / 2);
        let event = reads.event(middle)?;
        let event = event.ok_or_else(|| Fault::Unreadable(format!("event {middle} is not there")))?;
        if found(&event) {
            yes = middle.0;
        } else {
            no = middle.0;
        }
    }
    Ok(Sequence(yes))
}

/// An account's ledger balance after its last event at or before a moment; none if it was not open yet.
///
/// # Errors
/// If the history cannot be read.
pub fn balance_at(
    reads: &dyn Reads,
    id: AccountId,
    account: &Account,
    at: Moment,
) -> Result<Option<Step>, Fault> {
    seek(reads, id, account, |step| at.covers(&step.event))
}

/// A point in the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After this event.
    Sequence(Sequence),
    /// After the last event of this time, microseconds since 1970.
    Time(i64),
    /// After the last event of this booking date.
    Date(Date),
}

impl Moment {
    /// Had this event happened by then?
    #[must_use]
    pub fn covers(&self, event: &Event) -> bool {
        match self {
            Moment::Sequence(sequence) => event.sequence <= *sequence,
            Moment::Time(time) => event.time <= *time,
            Moment::Date(date) => event.booking <= *date,
        }
    }
}
