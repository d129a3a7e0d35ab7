//! A fact: an event in plain numbers, whoever told of it.

use ledger::entry::Effect;
use ledger::event::{HoldEnd, NameKind, TransactionKind};
use ledger::{AccountType, Body, Code, Currency, Digest, Event, Line, Side, Status};

/// What an event did to one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The account.
    pub account: u64,
    /// The side.
    pub side: Side,
    /// Minor units.
    pub amount: i128,
    /// Posted, held, released or only touched.
    pub effect: Effect,
    /// The currency.
    pub currency: Currency,
    /// The balance that it left.
    pub balance_after: i128,
    /// The account's version.
    pub version: u64,
    /// The account's event before.
    pub previous: u64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names are those of the events.
pub enum What {
    BankOpened,
    Named {
        id: u32,
        kind: NameKind,
        text: String,
    },
    Opened {
        account: u64,
        kind: AccountType,
        currency: Currency,
        status: Status,
        limit: i128,
        owner: u32,
        number: String,
        name: String,
    },
    Changed {
        account: u64,
        status: Option<(Status, Status)>,
        limit: Option<(i128, i128)>,
    },
    Posted {
        kind: TransactionKind,
        hold: Option<u64>,
        reverses: Option<(u64, Vec<u8>)>,
    },
    HoldPlaced {
        expires_at: i64,
    },
    HoldEnded {
        hold: u64,
        how: HoldEnd,
    },
    DayOpened(i32),
    DayClosed(i32),
    Refused {
        code: Code,
        account: Option<u64>,
        figures: [i64; 2],
        member: Option<u16>,
    },
    Group {
        members: u16,
    },
}

/// An event in plain numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its place.
    pub sequence: u64,
    /// When, microseconds.
    pub time: i64,
    /// Booked on this day.
    pub booking: i32,
    /// Counts from this day.
    pub value: i32,
    /// Whose intent.
    pub principal: u32,
    /// Under which key.
    pub key: Digest,
    /// A member of a group.
    pub in_group: bool,
    /// What it did to accounts.
    pub legs: Vec<Leg>,
    /// The caller's reference.
    pub reference: Option<String>,
    /// The caller's text.
    pub description: Option<String>,
    /// What happened.
    pub what: What,
}

impl Fact {
    /// The lines that moved money.
    #[must_use]
    pub fn posted_lines(&self) -> Vec<Line> {
        let posted = self.legs.iter().filter(|leg| leg.effect == Effect::Posted);
        posted
            .map(|leg| Line {
                account: ledger::AccountId(leg.account),
                side: leg.side,
                amount: leg.amount as i64,
                currency: leg.currency,
            })
            .collect()
    }
}

impl From<&Event> for Fact {
    fn from(event: &Event) -> Fact {
        let legs = event.entries.iter().map(|entry| Leg {
            account: entry.account.0,
            side: entry.side,
            amount: entry.amount.into(),
            effect: entry.effect,
            currency: entry.currency,
            balance_after: entry.balance_after.into(),
            version: entry.version,
            previous: entry.previous.0,
        });
        let note = event.note.as_deref();
        Fact {
            sequence: event.sequence.0,
            time: event.time,
            booking: event.booking.0,
            value: event.value.0,
            principal: event.principal.0,
            key: event.key,
            in_group: event.in_group,
            legs: legs.collect(),
            reference: note.and_then(|note| note.reference.as_deref().map(str::to_owned)),
            description: note.and_then(|note| note.description.as_deref().map(str::to_owned)),
            what: what(event),
        }
    }
}

fn what(event: &Event) -> What {
    let subject = || event.entries.first().map_or(0, |entry| entry.account.0);
    match &event.body {
        Body::BankOpened { .. } => What::BankOpened,
        Body::Named { id, kind, text } => What::Named { id: id.0, kind: *kind, text: text.to_string() },
        Body::AccountOpened(opening) => What::Opened {
            account: subject(),
            kind: opening.account_type,
            currency: opening.currency,
            status: opening.status,
            limit: opening.overdraft_limit.into(),
            owner: opening.owner.0,
            number: opening.number.to_string(),
            name: opening.name.to_string(),
        },
        Body::AccountChanged { status, overdraft_limit } => What::Changed {
            account: subject(),
            status: *status,
            limit: overdraft_limit.map(|(before, after)| (before.into(), after.into())),
        },
        Body::Posted { kind, hold, reverses } => What::Posted {
            kind: *kind,
            hold: hold.map(|hold| hold.0),
            reverses: reverses.as_ref().map(|(original, indices)| (original.0, indices.to_vec())),
        },
        Body::HoldPlaced { expires_at } => What::HoldPlaced { expires_at: *expires_at },
        Body::HoldEnded { hold, how } => What::HoldEnded { hold: hold.0, how: *how },
        Body::DayOpened { date } => What::DayOpened(date.0),
        Body::DayClosed { date } => What::DayClosed(date.0),
        Body::Refused(refusal) => What::Refused {
            code: refusal.code,
            account: refusal.account.map(|account| account.0),
            figures: refusal.figures,
            member: refusal.member,
        },
        Body::Group { members } => What::Group { members: *members },
    }
}
