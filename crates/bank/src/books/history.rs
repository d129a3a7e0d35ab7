//! An account's history: its events, from the newest to the first.
//!
//! Versions count an account's events without gaps, so a version is a place in its history. How a place is found
//! and what lies before it is the store's part: along the links of the entries (`links`), or in an index.

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
    /// The step of this account that an event is.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] if the event does not touch the account.
    pub fn of(event: Event, account: AccountId) -> Result<Step, Fault> {
        let entry = event.entries.iter().find(|entry| entry.account == account).copied();
        let entry = entry.ok_or_else(|| {
            Fault::Unreadable(format!(
                "event {} is not of account {account}, which leads to it",
                event.sequence
            ))
        })?;
        Ok(Step { event, entry })
    }

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
    // Booking dates never fall, so each end is one place.
    let newest = |place| reads.seek(id, account, place).map(|step| step.map_or(0, |step| step.entry.version));
    let highest = match last {
        Some(last) => newest(Place::At(Moment::Date(last)))?,
        None => account.version,
    };
    let before = match first {
        Some(first) => newest(Place::Before(first))?,
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
    if versions.is_empty() {
        return Ok(Page { steps, next: None });
    }
    for (visits, here) in reads.trail(id, account, *versions.end()).enumerate() {
        let here = here?;
        if here.entry.version < *versions.start() {
            break;
        }
        if steps.len() == limit || visits == VISITS_MAX {
            return Ok(Page { steps, next: Some(From::Down(here.entry.version)) });
        }
        if wanted(&here) {
            steps.push(here);
        }
    }
    Ok(Page { steps, next: None })
}

/// A trail leads back only, so a page going up is read from its far end: versions count without gaps, so
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
    for here in reads.trail(id, account, last) {
        let here = here?;
        if here.entry.version < first {
            break;
        }
        if wanted(&here) {
            steps.push(here);
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
    reads.seek(id, account, Place::At(at))
}

/// A place in an account's history. Once a step lies at or before it, so do all earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This version.
    Version(u64),
    /// This moment.
    At(Moment),
    /// The end of the day before this booking date.
    Before(Date),
}

impl Place {
    /// Does this step lie at or before it?
    #[must_use]
    pub fn covers(&self, step: &Step) -> bool {
        match self {
            Place::Version(version) => step.entry.version <= *version,
            Place::At(moment) => moment.covers(&step.event),
            Place::Before(date) => step.event.booking < *date,
        }
    }
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
