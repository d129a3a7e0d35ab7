//! An event as those see it who read all of them: auditors, reconciliation, a data warehouse.

use journal::Identity;
use ledger::event::Body;
use ledger::limits::NEVER;
use ledger::{AccountId, Date, Entry, Event, NameId, Sequence};
use serde::Serialize;
use utoipa::ToSchema;

use super::event_id::{event_id, hex};
use super::text::{date, money, time};
use crate::http::problem::Problem;

/// An accepted, immutable fact.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventOut {
    /// Bank, timeline and sequence: no other event anywhere has the same.
    #[schema(example = "5f0c7a1e9b2d4c6f8a0b1c2d3e4f5a6b-1-123")]
    pub id: String,
    /// Its position in the journal, from 1, without gaps. A transaction's id is the same number.
    #[schema(example = 123)]
    pub sequence: u64,
    /// bank_opened, named, account_opened, account_changed, posted, hold_placed, hold_ended, day_opened,
    /// day_closed, refused or batch.
    #[schema(example = "posted")]
    pub kind: &'static str,
    /// When it was decided.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    pub time: String,
    /// The accounting day.
    #[schema(example = "2026-11-22")]
    pub booking_date: String,
    /// The day from which it counts for interest.
    #[schema(example = "2026-11-22")]
    pub value_date: String,
    /// Whose intent it was; absent for the bank's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "customer:alice")]
    pub principal: Option<String>,
    /// Who acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "key:7k2m9x4q")]
    pub actor: Option<String>,
    /// For whom the actor acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.0.0.7 key:7k2m9x4q")]
    pub origin: Option<String>,
    /// The digest of the idempotency key, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_digest: Option<String>,
    /// The fingerprint of the request, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// A member of the atomic batch whose event comes before it.
    pub in_batch: bool,
    /// The caller's business name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "INV-7")]
    pub reference: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The W3C trace id, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The payment that it is a step of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// What it was about, by kind.
    #[serde(flatten)]
    pub what: What,
    /// What it did to accounts, in order.
    pub entries: Vec<EventEntry>,
}

/// What an event was about; one of these, by its kind.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = EventSubject)]
pub struct What {
    /// For posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<OfTransaction>,
    /// For hold_placed and hold_ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<OfHold>,
    /// For account_opened and account_changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<OfAccount>,
    /// For day_opened and day_closed: the business day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// For refused: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// For batch: how many events follow that belong to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<u16>,
    /// For bank_opened: what the bank calls itself. For named: the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For named: the number that stands for the name in the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_id: Option<u32>,
    /// For named: principal, actor or origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_kind: Option<&'static str>,
}

/// A transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EventTransaction)]
pub struct OfTransaction {
    /// Its id.
    pub id: String,
    /// deposit, withdrawal, transfer, journal_entry, capture or reversal.
    pub kind: &'static str,
    /// The hold that it captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<String>,
    /// The transaction that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_id: Option<String>,
    /// Which entry of the original each of its entries takes back, from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub original_entries: Vec<u8>,
}

/// A hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EventHold)]
pub struct OfHold {
    /// Its id.
    pub id: String,
    /// When it ends by itself, where it was placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// voided or expired, where it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<&'static str>,
}

/// An account that was opened or changed; what did not change is left out.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = EventAccount)]
pub struct OfAccount {
    /// Its id.
    pub id: String,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub account_type: Option<&'static str>,
    /// Its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Its currency.
    pub currency: &'static str,
    /// Its status since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Its status before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_before: Option<&'static str>,
    /// Its overdraft limit since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdraft_limit: Option<String>,
    /// Its overdraft limit before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdraft_limit_before: Option<String>,
}

/// What an event did to one account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventEntry {
    /// The account.
    #[schema(example = "101")]
    pub account_id: String,
    /// posted, held, released or touched.
    #[schema(example = "posted")]
    pub effect: &'static str,
    /// debit or credit.
    #[schema(example = "debit")]
    pub side: &'static str,
    /// How much.
    #[schema(example = "2000.00")]
    pub amount: String,
    /// The account's currency.
    #[schema(example = "BDT")]
    pub currency: &'static str,
    /// The account's ledger balance afterwards; left out where the reader may not see the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "3000.00")]
    pub balance_after: Option<String>,
    /// The account's version afterwards.
    pub account_version: u64,
    /// The event that touched the account before; 0 if none did.
    pub previous: u64,
}

/// The kind of an event.
#[must_use]
pub fn kind(event: &Event) -> &'static str {
    match event.body {
        Body::BankOpened { .. } => "bank_opened",
        Body::Named { .. } => "named",
        Body::AccountOpened(_) => "account_opened",
        Body::AccountChanged { .. } => "account_changed",
        Body::Posted { .. } => "posted",
        Body::HoldPlaced { .. } => "hold_placed",
        Body::HoldEnded { .. } => "hold_ended",
        Body::DayOpened { .. } => "day_opened",
        Body::DayClosed { .. } => "day_closed",
        Body::Refused(_) => "refused",
        Body::Group { .. } => "batch",
    }
}

/// Every kind of event.
pub const KINDS: [&str; 11] = [
    "bank_opened",
    "named",
    "account_opened",
    "account_changed",
    "posted",
    "hold_placed",
    "hold_ended",
    "day_opened",
    "day_closed",
    "refused",
    "batch",
];

impl EventOut {
    /// An event of this bank; `name` knows the names behind numbers.
    pub fn of<'n>(event: &Event, identity: Identity, name: impl Fn(NameId) -> Option<&'n str>) -> EventOut {
        let named = |id: NameId| name(id).map(str::to_owned);
        let note = event.note.as_deref();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let digest = |digest: ledger::Digest| (!digest.is_none()).then(|| hex(&digest.0));
        EventOut {
            id: event_id(identity, event.sequence),
            sequence: event.sequence.0,
            kind: kind(event),
            time: time(event.time),
            booking_date: date(event.booking),
            value_date: date(event.value),
            principal: named(event.principal),
            actor: named(event.actor),
            on_behalf_of: note.and_then(|note| note.on_behalf_of).and_then(named),
            approver: note.and_then(|note| note.approver).and_then(named),
            origin: named(event.origin),
            key_digest: digest(event.key),
            fingerprint: digest(event.fingerprint),
            in_batch: event.in_group,
            reference: note.and_then(|note| text(&note.reference)),
            description: note.and_then(|note| text(&note.description)),
            trace_id: note.and_then(|note| note.trace).map(|id| hex(&id)),
            payment_id: note.and_then(|note| note.payment).map(|id| hex(&id)),
            what: What::of(event, named),
            entries: event.entries.iter().map(EventEntry::of).collect(),
        }
    }

    /// The same for a reader who sees only some accounts: no balance of another, and nobody's name, key or device.
    #[must_use]
    pub fn for_holder_of(mut self, event: &Event, sees: impl Fn(AccountId) -> bool) -> EventOut {
        for (shown, entry) in self.entries.iter_mut().zip(&event.entries) {
            if !sees(entry.account) {
                shown.balance_after = None;
            }
        }
        EventOut {
            principal: None,
            actor: None,
            on_behalf_of: None,
            approver: None,
            origin: None,
            key_digest: None,
            fingerprint: None,
            trace_id: None,
            ..self
        }
    }
}

impl What {
    fn of(event: &Event, named: impl Fn(NameId) -> Option<String>) -> What {
        let mut what = What::default();
        let day = |date: &Date| Some(super::text::date(*date));
        let id = |sequence: &Sequence| sequence.to_string();
        match &event.body {
            Body::BankOpened { name, .. } => what.name = Some(name.to_string()),
            Body::Named { id, kind, text } => {
                what.name = Some(text.to_string());
                what.name_id = Some(id.0);
                what.name_kind = Some(kind.name());
            }
            Body::AccountOpened(opening) => {
                what.account = Some(OfAccount {
                    number: Some(opening.number.to_string()),
                    name: Some(opening.name.to_string()),
                    account_type: Some(opening.account_type.name()),
                    owner: named(opening.owner),
                    status: Some(opening.status.name()),
                    overdraft_limit: Some(money(opening.overdraft_limit, opening.currency)),
                    ..OfAccount::touched(event)
                });
            }
            Body::AccountChanged { status, overdraft_limit } => {
                let mut account = OfAccount::touched(event);
                if let Some((before, after)) = status {
                    account.status_before = Some(before.name());
                    account.status = Some(after.name());
                }
                if let (Some((before, after)), Some(entry)) = (overdraft_limit, event.entries.first()) {
                    account.overdraft_limit_before = Some(money(*before, entry.currency));
                    account.overdraft_limit = Some(money(*after, entry.currency));
                }
                what.account = Some(account);
            }
            Body::Posted { kind, hold, reverses } => {
                what.transaction = Some(OfTransaction {
                    id: id(&event.sequence),
                    kind: kind.name(),
                    hold_id: hold.as_ref().map(id),
                    original_id: reverses.as_ref().map(|(original, _)| id(original)),
                    original_entries: reverses
                        .as_ref()
                        .map(|(_, entries)| entries.to_vec())
                        .unwrap_or_default(),
                });
            }
            Body::HoldPlaced { expires_at } => {
                let expires_at = (*expires_at != NEVER).then(|| time(*expires_at));
                what.hold = Some(OfHold { id: id(&event.sequence), expires_at, end: None });
            }
            Body::HoldEnded { hold, how } => {
                what.hold = Some(OfHold { id: id(hold), expires_at: None, end: Some(how.name()) });
            }
            Body::DayOpened { date } | Body::DayClosed { date } => what.day = day(date),
            Body::Refused(refusal) => what.problem = Some(Problem::refused(refusal, false)),
            Body::Group { members } => what.members = Some(*members),
        }
        what
    }
}

impl OfAccount {
    fn touched(event: &Event) -> OfAccount {
        let entry = event.entries.first();
        OfAccount {
            id: entry.map(|entry| entry.account.to_string()).unwrap_or_default(),
            currency: entry.map_or("", |entry| entry.currency.code()),
            ..OfAccount::default()
        }
    }
}

impl EventEntry {
    fn of(entry: &Entry) -> EventEntry {
        EventEntry {
            account_id: entry.account.to_string(),
            effect: entry.effect.name(),
            side: entry.side.name(),
            amount: money(entry.amount, entry.currency),
            currency: entry.currency.code(),
            balance_after: Some(money(entry.balance_after, entry.currency)),
            account_version: entry.version,
            previous: entry.previous.0,
        }
    }
}
