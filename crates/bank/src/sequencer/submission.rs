//! What goes into the queue and what comes back.

use std::sync::Arc;

use journal::keys::Runs;
use ledger::event::{Claimed, NameKind};
use ledger::view::{BusinessDay, Hold};
use ledger::{
    Account, AccountId, AccountType, Currency, Date, Digest, NameId, PrincipalId, Refusal, Request, Sequence,
    Status,
};
use smallvec::SmallVec;

use super::fault::Fault;
use crate::identity::quota::RetryAfter;

/// One thing to be done as a unit, and how to answer.
pub struct Submission {
    /// What is to be done.
    pub work: Work,
    /// What the submitting thread found among the old claims.
    pub prior: Prior,
    /// Called once, when the answer is durable.
    pub reply: Reply,
}

/// Called once with the answer. Runs on the store's thread: hand the receipt on, and be quick.
pub type Reply = Box<dyn FnOnce(Result<Receipt, Fault>) + Send>;

/// What is to be done.
pub enum Work {
    /// Independent requests, decided in order, each with an outcome.
    Requests(SmallVec<[Request; 1]>),
    /// All or none, under the header's key.
    Group {
        /// Carries key, fingerprint and principal; its command is not looked at.
        header: Box<Request>,
        /// The members.
        members: Vec<Request>,
    },
    /// A name's number, given now if it has none. [`Command::Name`](ledger::Command::Name) among requests is
    /// for new names only.
    Name(NameKind, Box<str>),
    /// A look at current state.
    Query(Query),
    /// An operator has checked the clock.
    ConfirmClock,
    /// Decide this batch and no further one.
    Stop,
}

impl Work {
    /// How many events it may become: what a batch counts.
    #[must_use]
    pub fn weight(&self) -> usize {
        match self {
            Work::Requests(requests) => requests.len(),
            Work::Group { members, .. } => members.len() + 1,
            Work::Name(..) | Work::Query(_) | Work::ConfirmClock | Work::Stop => 1,
        }
    }

    /// How many outcomes its receipt has.
    #[must_use]
    pub fn outcomes(&self) -> usize {
        match self {
            Work::Requests(requests) => requests.len(),
            Work::Group { .. } | Work::Name(..) | Work::Query(_) | Work::ConfirmClock | Work::Stop => 1,
        }
    }

    /// How many bytes its events may take at most: a batch is one frame, and frames have a limit.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Work::Requests(requests) => requests.iter().map(bytes_of_request).sum(),
            Work::Group { members, .. } => EVENT_BYTES + members.iter().map(bytes_of_request).sum::<usize>(),
            Work::Name(_, text) => EVENT_BYTES + text.len(),
            Work::Query(_) | Work::ConfirmClock | Work::Stop => 0,
        }
    }

    /// The digests that the rules will ask for and that may be old.
    #[must_use]
    pub fn digests(&self) -> Vec<Digest> {
        let mut digests = Vec::with_capacity(self.weight());
        match self {
            Work::Requests(requests) => requests.iter().for_each(|request| of_request(request, &mut digests)),
            Work::Group { header, members } => {
                digests.push(header.key);
                members.iter().for_each(|request| of_request(request, &mut digests));
            }
            Work::Query(Query::Claim(digest)) => digests.push(*digest),
            Work::Query(Query::Hold(hold)) => digests.push(Digest::of_hold_end(*hold)),
            Work::Name(..) | Work::Query(_) | Work::ConfirmClock | Work::Stop => {}
        }
        digests
    }
}

/// More than the record of any event with four entries and no texts.
const EVENT_BYTES: usize = 512;

fn bytes_of_request(request: &Request) -> usize {
    let entries = match &request.command {
        ledger::Command::Post { lines } => lines.len() * 52,
        ledger::Command::Reverse { original, .. } => original.lines.len() * 53,
        ledger::Command::OpenAccount(wish) => wish.name.len() + 64,
        ledger::Command::Name { text, .. } => text.len(),
        _ => 0,
    };
    let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
    let note = request.note.as_ref().map_or(0, |note| text(&note.reference) + text(&note.description));
    EVENT_BYTES + entries + note
}

fn of_request(request: &Request, digests: &mut Vec<Digest>) {
    use ledger::Command;
    if !request.key.is_none() {
        digests.push(request.key);
    }
    match &request.command {
        Command::Capture { hold, .. }
        | Command::Void { hold }
        | Command::Commit { hold }
        | Command::Abort { hold } => digests.push(Digest::of_hold_end(*hold)),
        Command::OpenAccount(wish) => digests.extend(wish.number.as_deref().map(Digest::of_number)),
        _ => {}
    }
}

/// What was found among the old claims, and the set of runs in which it was looked for. Held until the
/// submission is decided: that keeps every claim visible that the set does not cover.
#[derive(Clone, Default)]
pub struct Prior {
    found: Vec<(Digest, u64)>,
    runs: Option<Arc<Runs>>,
}

impl Prior {
    /// Of digests found in `runs`.
    #[must_use]
    pub fn new(mut found: Vec<(Digest, u64)>, runs: Arc<Runs>) -> Prior {
        found.sort_unstable();
        Prior { found, runs: Some(runs) }
    }

    /// The old claim on a digest.
    #[must_use]
    pub fn find(&self, digest: &Digest) -> Option<u64> {
        let index = self.found.binary_search_by(|(known, _)| known.cmp(digest)).ok()?;
        Some(self.found[index].1)
    }

    /// The set in which was looked.
    #[must_use]
    pub fn runs(&self) -> Option<&Arc<Runs>> {
        self.runs.as_ref()
    }
}

/// A question about current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// An account.
    Account(AccountId),
    /// Those of these accounts that are there.
    AccountsById(Box<[AccountId]>),
    /// An account, with what its balance by value date needs of the same moment.
    ByValue(AccountId, Date),
    /// Accounts after an id, in order; at most so many.
    Accounts {
        /// Ids above this one.
        after: AccountId,
        /// How many at most.
        limit: usize,
        /// Which.
        wanted: Wanted,
    },
    /// Who holds a claim.
    Claim(Digest),
    /// An open hold, or how it ended.
    Hold(Sequence),
    /// The number of a name.
    Name(NameKind, Box<str>),
    /// The names behind these numbers.
    Names(Box<[NameId]>),
    /// What of these transactions has been reversed.
    Reversed(Box<[Sequence]>),
    /// The business day.
    Day,
    /// Sums over all accounts.
    TrialBalance,
    /// May work be decided now? Answered with the fault if not.
    Ready,
}

/// Which accounts a list shows; what is none does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of this principal.
    pub owner: Option<PrincipalId>,
    /// Of this type.
    pub account_type: Option<AccountType>,
    /// In this status.
    pub status: Option<Status>,
    /// In this currency.
    pub currency: Option<Currency>,
}

impl Wanted {
    /// Whether a list shows this account.
    #[must_use]
    pub fn covers(&self, account: &Account) -> bool {
        self.owner.is_none_or(|owner| account.owner == owner)
            && self.account_type.is_none_or(|wanted| account.account_type == wanted)
            && self.status.is_none_or(|wanted| account.status == wanted)
            && self.currency.is_none_or(|wanted| account.currency() == wanted)
    }
}

/// An account with the name of its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// The account as it stands.
    pub account: Account,
    /// The owner's name; none for the bank's own.
    pub owner: Option<Box<str>>,
}

/// The answer to a [`Query`].
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Query::Account`] and [`Query::AccountsById`].
    Accounts(Vec<AccountView>),
    /// To [`Query::Accounts`]: some, and after which id to go on; none at the end.
    SomeAccounts(Vec<AccountView>, Option<AccountId>),
    /// To [`Query::ByValue`].
    ByValue(Option<Box<crate::books::ByValue>>),
    /// To [`Query::Claim`].
    Claim(Option<Claimed>),
    /// To [`Query::Hold`]: the open hold, or the claim of its end.
    Hold(Option<Hold>, Option<Claimed>),
    /// To [`Query::Name`].
    Name(Option<NameId>),
    /// To [`Query::Names`], in their order.
    Names(Vec<Option<Box<str>>>),
    /// To [`Query::Reversed`], in their order: entries by position with what was reversed of them.
    Reversed(Vec<Reversed>),
    /// To [`Query::Day`].
    Day(BusinessDay),
    /// To [`Query::TrialBalance`].
    TrialBalance(crate::books::TrialBalance),
    /// To [`Query::Ready`]: yes.
    Ready,
}

/// Entries of a transaction by position, and how much of each was reversed; only those of which something was.
pub type Reversed = SmallVec<[(u8, i64); 2]>;

/// The bytes of a durable batch; outcomes point into it.
pub type Frame = Arc<journal::Batch>;

/// The answer to a submission.
pub struct Receipt {
    /// One for each request; one for anything else.
    pub outcomes: SmallVec<[Outcome; 1]>,
    /// The durable batch that the outcomes point into.
    pub frame: Frame,
    /// The newest sequence when it was decided.
    pub as_of: Sequence,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Decided now: the record at this offset of the frame. A recorded refusal is one too; a group's header
    /// is followed by its members.
    Decided(u32),
    /// The key was used before, by this event. Same fingerprint: a replay; else the key is reused.
    Earlier(Claimed),
    /// To [`Work::Name`]: the name is known already.
    Named(NameId),
    /// Refused, and nothing was recorded.
    Refused(Refusal),
    /// Refused, but the principal's budget of recorded refusals is used up: slow down.
    Throttled(RetryAfter),
    /// Not possible now.
    Fault(Fault),
    /// The answer to a query.
    Answer(Box<Answer>),
    /// Done; there is nothing to tell.
    Done,
}
