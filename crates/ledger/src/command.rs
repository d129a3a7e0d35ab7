//! Requests: what somebody wants, and how it is told apart from every other wish.

use std::sync::Arc;

use crate::account::{AccountType, Status};
use crate::currency::Currency;
use crate::date::Date;
use crate::digest::Digest;
use crate::entry::Line;
use crate::event::{NameKind, TransactionKind};
use crate::ids::{AccountId, NameId, PrincipalId, Sequence};

/// A command with all that belongs to it.
#[derive(Clone, PartialEq, Debug)]
pub struct Request {
    /// What is wanted.
    pub command: Command,
    /// The claim of the idempotency key, or [`Digest::NONE`].
    pub key: Digest,
    /// [`Request::fingerprint_of`] of this request.
    pub fingerprint: Digest,
    /// Whose intent it is.
    pub principal: PrincipalId,
    /// Who acts.
    pub actor: NameId,
    /// From where.
    pub origin: NameId,
    /// The value date, if not the booking date.
    pub value: Option<Date>,
    /// Rare fields.
    pub note: Option<Arc<Note>>,
}

/// Rare fields of a request and of its event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Note {
    /// The caller's business name for the transaction, searchable.
    pub reference: Option<Box<str>>,
    /// Free text.
    pub description: Option<Box<str>>,
    /// For whom the actor acts.
    pub on_behalf_of: Option<NameId>,
    /// Who approved it.
    pub approver: Option<NameId>,
    /// W3C trace id.
    pub trace: Option<[u8; 16]>,
    /// The payment (saga) that this step belongs to.
    pub payment: Option<[u8; 16]>,
}

/// A request that the rules may refuse.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Open an account.
    OpenAccount(Box<OpenAccount>),
    /// Change status or limit.
    ChangeAccount {
        /// The account.
        account: AccountId,
        /// The new status.
        status: Option<Status>,
        /// The new overdraft limit, minor units.
        overdraft_limit: Option<i64>,
        /// Refuse unless the account stands at this version.
        expected_version: Option<u64>,
    },
    /// Cash in: debit the drawer, credit the customer.
    Deposit(Movement),
    /// Cash out: debit the customer, credit the drawer.
    Withdraw(Movement),
    /// From one account to another of the same normal side.
    Transfer(Movement),
    /// A balanced set of entries.
    Post {
        /// The lines.
        lines: Box<[Line]>,
    },
    /// Reserve funds.
    Hold {
        /// Whose funds.
        account: AccountId,
        /// Who is promised them, if known already.
        to: Option<AccountId>,
        /// Minor units.
        amount: i64,
        /// The currency.
        currency: Currency,
        /// Microseconds since 1970; the default life if absent.
        expires_at: Option<i64>,
    },
    /// Post held funds, whole or in part; the rest is released.
    Capture {
        /// The hold.
        hold: Sequence,
        /// Minor units; the whole hold if absent.
        amount: Option<i64>,
        /// Who gets them, if the hold does not say.
        to: Option<AccountId>,
    },
    /// Give a hold up.
    Void {
        /// The hold.
        hold: Sequence,
    },
    /// Two-phase commit, first phase: reserve the sender's funds and promise them to the receiver. No time ends it, a
    /// freeze does not stop its commit: only [`Command::Commit`] and [`Command::Abort`] end it. Its id is a hold's.
    Prepare(Movement),
    /// Second phase, yes: post a prepared hold whole.
    Commit {
        /// The prepared hold.
        hold: Sequence,
    },
    /// Second phase, no: give a prepared hold up.
    Abort {
        /// The prepared hold.
        hold: Sequence,
    },
    /// End a hold whose time has come. Submitted by the sequencer only.
    Expire {
        /// The hold.
        hold: Sequence,
    },
    /// Take an earlier transaction back, whole or in part.
    Reverse {
        /// The original, read before the rules need it.
        original: Arc<Original>,
        /// How much.
        extent: Extent,
    },
    /// Open a business day.
    OpenDay {
        /// The day.
        date: Date,
    },
    /// Close the business day.
    CloseDay {
        /// The day.
        date: Date,
    },
    /// Intern a name; the same name again is answered with its first event.
    Name {
        /// What it stands for.
        kind: NameKind,
        /// The name.
        text: Box<str>,
    },
}

/// An amount from one account to another. For a deposit `from` is the drawer, for a withdrawal `to` is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Movement {
    /// Where it comes from.
    pub from: AccountId,
    /// Where it goes.
    pub to: AccountId,
    /// Minor units.
    pub amount: i64,
    /// The currency.
    pub currency: Currency,
}

/// The wish for an account.
#[derive(Clone, PartialEq, Debug)]
pub struct OpenAccount {
    /// The type.
    pub account_type: AccountType,
    /// The currency.
    pub currency: Currency,
    /// Pending or active.
    pub status: Status,
    /// Overdraft limit, minor units, not below zero.
    pub overdraft_limit: i64,
    /// The owner; 0 for the bank.
    pub owner: NameId,
    /// The number; made from the id if absent.
    pub number: Option<Box<str>>,
    /// The name.
    pub name: Box<str>,
}

/// What the rules must know of a transaction that is to be reversed. Immutable, so it may be read early.
#[derive(Clone, PartialEq, Debug)]
pub struct Original {
    /// Its id.
    pub sequence: Sequence,
    /// Its kind; a reversal is not reversed again.
    pub kind: TransactionKind,
    /// Its posted lines, in order.
    pub lines: Box<[Line]>,
}

/// How much of a transaction is taken back.
#[derive(Clone, PartialEq, Debug)]
pub enum Extent {
    /// All that is left of it.
    Rest,
    /// This amount of a transaction with two entries.
    Amount(i64),
    /// These amounts of these entries (by position, from 0).
    Entries(Box<[(u8, i64)]>),
}

impl Request {
    /// A request with nothing rare about it and no key.
    #[must_use]
    pub fn new(command: Command, principal: PrincipalId) -> Request {
        Request {
            command,
            key: Digest::NONE,
            fingerprint: Digest::NONE,
            principal,
            actor: principal,
            origin: NameId(0),
            value: None,
            note: None,
        }
    }

    /// The amount that is to move between two accounts, if that is what is wanted.
    #[must_use]
    pub fn movement(&self) -> Option<&Movement> {
        match &self.command {
            Command::Deposit(movement) | Command::Withdraw(movement) | Command::Transfer(movement) => {
                Some(movement)
            }
            _ => None,
        }
    }

    /// The same under a key, with the fingerprint that goes with it.
    #[must_use]
    pub fn with_key(mut self, key: Digest) -> Request {
        self.key = key;
        self.fingerprint = self.fingerprint_of();
        self
    }

    /// SHA-256, cut to sixteen bytes, over what makes this intent what it is: the command, the value date,
    /// reference and description. Who asks and from where does not count: the key is bound to its principal
    /// already, and a retry may come over another line.
    #[must_use]
    pub fn fingerprint_of(&self) -> Digest {
        crate::codec::fingerprint::of(self)
    }
}
