//! Events: what happened, for ever.
//!
//! One event, one sequence, one record. All that later readers need is in it: who, on whose behalf, when,
//! under which key, what it did to which account and what that left behind. See `docs/event-format.md`.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::account::{AccountType, Status, named};
use crate::command::Note;
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::entry::{Effect, Entry};
use crate::ids::{AccountId, NameId, PrincipalId, Sequence};
use crate::refusal::Refusal;

/// The entries of an event. Two need no allocation: that is nearly every event.
pub type Entries = SmallVec<[Entry; 2]>;

/// An accepted, immutable fact (or a recorded refusal).
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Position in the journal.
    pub sequence: Sequence,
    /// When the batch was decided: microseconds since 1970, UTC, never falling.
    pub time: i64,
    /// The business day that was open.
    pub booking: Date,
    /// The day from which it counts for interest.
    pub value: Date,
    /// Whose intent it is.
    pub principal: PrincipalId,
    /// Who did it: the person or system that acted for the principal.
    pub actor: NameId,
    /// From where: address and device.
    pub origin: NameId,
    /// The claim of the idempotency key, or [`Digest::NONE`].
    pub key: Digest,
    /// Fingerprint of the request.
    pub fingerprint: Digest,
    /// A member of the atomic group whose header precedes it.
    pub in_group: bool,
    /// What it did to accounts, in order.
    pub entries: Entries,
    /// Rare fields: reference, description and the like.
    pub note: Option<Arc<Note>>,
    /// What kind of fact it is.
    pub body: Body,
}

named! {
    /// The intents that become transactions.
    TransactionKind {
        /// Cash in, by a teller.
        Deposit = 1 "deposit",
        /// Cash out, by a teller.
        Withdrawal = 2 "withdrawal",
        /// From one account to another.
        Transfer = 3 "transfer",
        /// A balanced set of entries.
        Journal = 4 "journal_entry",
        /// Held funds, posted.
        Capture = 5 "capture",
        /// The mirror of an earlier transaction, whole or in part.
        Reversal = 6 "reversal",
    }
}

named! {
    /// The three ends of a hold.
    HoldEnd {
        /// Posted, whole or in part; the rest was released.
        Captured = 1 "captured",
        /// Given up by its maker.
        Voided = 2 "voided",
        /// Ended by time.
        Expired = 3 "expired",
    }
}

named! {
    /// What an interned name stands for.
    NameKind {
        /// Customer, institution or internal subsystem: the owner of keys and of accounts.
        Principal = 1 "principal",
        /// A person or program that acts.
        Actor = 2 "actor",
        /// Address and device.
        Origin = 3 "origin",
    }
}

/// What kind of fact an event is.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// The first event of a bank.
    BankOpened {
        /// The bank's identity.
        bank: [u8; 16],
        /// The life of the books between restores, from 1.
        timeline: u32,
        /// What the bank calls itself.
        name: Box<str>,
    },
    /// A name was interned under a number.
    Named {
        /// The number, from 1 on without gaps.
        id: NameId,
        /// What it stands for.
        kind: NameKind,
        /// The name.
        text: Box<str>,
    },
    /// An account was opened; its id is in the entry.
    AccountOpened(Box<Opening>),
    /// Status or limit of the account in the entry changed.
    AccountChanged {
        /// Before and after, if the status changed.
        status: Option<(Status, Status)>,
        /// Before and after, if the overdraft limit changed.
        overdraft_limit: Option<(i64, i64)>,
    },
    /// Money moved: a transaction.
    Posted {
        /// Which intent it was.
        kind: TransactionKind,
        /// For a capture: the hold.
        hold: Option<Sequence>,
        /// For a reversal: what it mirrors, and which entry of the original each of its entries takes back.
        reverses: Option<(Sequence, SmallVec<[u8; 8]>)>,
    },
    /// Funds were reserved; the hold's id is the sequence.
    HoldPlaced {
        /// When it expires, microseconds since 1970.
        expires_at: i64,
    },
    /// A hold ended without posting anything.
    HoldEnded {
        /// The hold.
        hold: Sequence,
        /// Voided or expired.
        how: HoldEnd,
    },
    /// A business day was opened.
    DayOpened {
        /// The day.
        date: Date,
    },
    /// The business day was closed.
    DayClosed {
        /// The day.
        date: Date,
    },
    /// A request was refused for what the books said; nothing else changed.
    Refused(Refusal),
    /// The next `members` events are one atomic group; key and fingerprint here are the group's.
    Group {
        /// How many follow.
        members: u16,
    },
}

/// What is known of an account from its opening on.
#[derive(Clone, PartialEq, Debug)]
pub struct Opening {
    /// The type.
    pub account_type: AccountType,
    /// The currency.
    pub currency: Currency,
    /// The status it starts with.
    pub status: Status,
    /// Overdraft limit in minor units.
    pub overdraft_limit: i64,
    /// The principal that owns it; 0 for the bank.
    pub owner: NameId,
    /// The account number, unique in the bank.
    pub number: Box<str>,
    /// The name.
    pub name: Box<str>,
}

/// A digest that an event holds from now on, and what it leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// The event that made the claim.
    pub sequence: Sequence,
    /// For the end of a hold: how it ended; else 0.
    pub tag: u8,
}

impl Claimed {
    /// As one number for a table: the tag in the top byte.
    #[must_use]
    pub fn to_value(self) -> u64 {
        debug_assert!(self.sequence.0 < 1 << 56);
        u64::from(self.tag) << 56 | self.sequence.0
    }

    /// Back from the number.
    #[must_use]
    pub fn from_value(value: u64) -> Claimed {
        Claimed { sequence: Sequence(value & ((1 << 56) - 1)), tag: (value >> 56) as u8 }
    }
}

impl Event {
    /// Tells `each` of every claim that this event makes.
    pub fn claims(&self, mut each: impl FnMut(Digest, Claimed)) {
        let mut claim = |digest, tag| each(digest, Claimed { sequence: self.sequence, tag });
        if !self.key.is_none() {
            claim(self.key, 0);
        }
        match &self.body {
            Body::Posted { hold: Some(hold), .. } => {
                claim(Digest::of_hold_end(*hold), HoldEnd::Captured as u8)
            }
            Body::HoldEnded { hold, how } => claim(Digest::of_hold_end(*hold), *how as u8),
            Body::AccountOpened(opening) => claim(Digest::of_number(&opening.number), 0),
            _ => {}
        }
    }

    /// The caller's reference, if it has one.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.note.as_ref()?.reference.as_deref()
    }

    /// Is it a transaction, and of which kind?
    #[must_use]
    pub fn transaction(&self) -> Option<TransactionKind> {
        match self.body {
            Body::Posted { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// The entries that moved money.
    pub fn posted(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.effect == Effect::Posted)
    }

    /// The account that this event opened or changed.
    #[must_use]
    pub fn subject(&self) -> Option<AccountId> {
        self.entries.first().map(|entry| entry.account)
    }
}
