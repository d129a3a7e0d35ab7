//! The books, as the rest of the service uses them: ask, and be answered with what is durable.
//!
//! ```text
//!  prepare (old claims; this thread) ─► queue ─► rules ─► store ─► receipt ─► read (replays: the older event)
//! ```
//! A replay is recognised here: the rules only say which event used the key; whether it was the same request
//! is a question of two fingerprints, and the older one may have to be read from the disk.

mod by_value;
mod decided;
mod facts;
pub mod history;
pub mod links;
mod names;
mod trial_balance;
mod unnamed;

use std::sync::Arc;

use ledger::event::{Claimed, NameKind};
use ledger::view::{BusinessDay, Hold};
use ledger::{AccountId, Date, Digest, Event, NameId, Request, Sequence, codec};
use smallvec::{SmallVec, smallvec};
use tokio::sync::oneshot;

use crate::sequencer::{
    AccountView, Answer, Fault, Outcome, Query, Receipt, Reversed, Sequencer, Submission, Totals, Wanted,
    Work,
};
use crate::store::Reads;

pub use by_value::ByValue;
pub use decided::{Decided, GroupDecided};
pub use facts::{Facts, FactsTable};
pub use names::{KeptNames, Names};
pub use trial_balance::{Sums, TrialBalance};
pub use unnamed::Unnamed;

/// The way to the books. Clones are cheap and share everything.
#[derive(Clone)]
pub struct Books {
    sequencer: Sequencer,
    reads: Arc<dyn Reads>,
}

impl Books {
    /// Over a running sequencer and the history behind it.
    #[must_use]
    pub fn new(sequencer: Sequencer, reads: Arc<dyn Reads>) -> Books {
        Books { sequencer, reads }
    }

    /// History.
    #[must_use]
    pub fn reads(&self) -> &Arc<dyn Reads> {
        &self.reads
    }

    /// How many commands wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.sequencer.waiting()
    }

    /// What has been decided since the start.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        self.sequencer.totals()
    }

    /// Has one request decided.
    ///
    /// # Errors
    /// A [`Fault`]; the request left no trace, or its outcome can be asked by key.
    pub async fn submit(&self, request: Request) -> Result<Decided, Fault> {
        let fingerprint = request.fingerprint;
        let receipt = self.send(Work::Requests(smallvec![request])).await?;
        self.decided(&receipt, 0, fingerprint)
    }

    /// Has independent requests decided, in order; each has its own outcome.
    ///
    /// # Errors
    /// As [`Books::submit`], for all of them together.
    pub async fn submit_all(&self, requests: Vec<Request>) -> Result<Vec<Result<Decided, Fault>>, Fault> {
        let fingerprints: Vec<Digest> = requests.iter().map(|request| request.fingerprint).collect();
        let receipt = self.submit_each(requests).await?;
        let each = fingerprints.into_iter().enumerate();
        Ok(each.map(|(index, fingerprint)| self.decided(&receipt, index, fingerprint)).collect())
    }

    /// Has independent requests decided, in order; the receipt is read with [`Books::decided`]. For large
    /// batches: nothing is decoded before somebody wants to see it.
    ///
    /// # Errors
    /// As [`Books::submit`], for all of them together.
    pub async fn submit_each(&self, requests: Vec<Request>) -> Result<Receipt, Fault> {
        self.send(Work::Requests(SmallVec::from_vec(requests))).await
    }

    /// Has a group decided, all or none. `header` carries the group's key and principal.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn submit_group(&self, header: Request, members: Vec<Request>) -> Result<GroupDecided, Fault> {
        let fingerprint = header.fingerprint;
        let receipt = self.send(Work::Group { header: Box::new(header), members }).await?;
        let decided = self.decided(&receipt, 0, fingerprint)?;
        let Decided::Accepted { event, replayed } = decided else {
            return Ok(GroupDecided::Not(decided));
        };
        let members = match receipt.outcomes[0] {
            Outcome::Decided(offset) => members_at(&receipt, offset, &event)?,
            _ => self.members(&event)?,
        };
        Ok(GroupDecided::Accepted { header: event, members, replayed })
    }

    /// The members of a group, read back.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn members(&self, header: &Event) -> Result<Vec<Event>, Fault> {
        let ledger::Body::Group { members } = header.body else { return Ok(Vec::new()) };
        let mut events = Vec::with_capacity(usize::from(members));
        self.reads.scan(header.sequence.next(), &mut |event| {
            events.push(event);
            if events.len() < usize::from(members) {
                std::ops::ControlFlow::Continue(())
            } else {
                std::ops::ControlFlow::Break(())
            }
        })?;
        Ok(events)
    }

    /// An account as it stands.
    ///
    /// # Errors
    /// As [`Books::submit`]; so for all that follow.
    pub async fn account(&self, id: AccountId) -> Result<Option<AccountView>, Fault> {
        match self.ask(Query::Account(id)).await? {
            Answer::Accounts(accounts) => Ok(accounts.into_iter().next()),
            other => unreachable!("an account was asked for: {other:?}"),
        }
    }

    /// An account with what its balance by value date needs of the same moment; none if there is no such account.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn by_value(&self, id: AccountId, date: Date) -> Result<Option<ByValue>, Fault> {
        match self.ask(Query::ByValue(id, date)).await? {
            Answer::ByValue(seen) => Ok(seen.map(|seen| *seen)),
            other => unreachable!("a value date was asked for: {other:?}"),
        }
    }

    /// Accounts after an id, in order, and after which id to go on; none at the end.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn accounts(
        &self,
        after: AccountId,
        limit: usize,
        wanted: Wanted,
    ) -> Result<(Vec<AccountView>, Option<AccountId>), Fault> {
        match self.ask(Query::Accounts { after, limit, wanted }).await? {
            Answer::SomeAccounts(accounts, next) => Ok((accounts, next)),
            other => unreachable!("accounts were asked for: {other:?}"),
        }
    }

    /// Those of these accounts that are there, in the order asked for.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn accounts_by_id(&self, ids: Box<[AccountId]>) -> Result<Vec<AccountView>, Fault> {
        match self.ask(Query::AccountsById(ids)).await? {
            Answer::Accounts(accounts) => Ok(accounts),
            other => unreachable!("accounts were asked for: {other:?}"),
        }
    }

    /// The names behind numbers, in their order; none where a number is nobody's.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn names(&self, ids: Box<[NameId]>) -> Result<Vec<Option<Box<str>>>, Fault> {
        match self.ask(Query::Names(ids)).await? {
            Answer::Names(names) => Ok(names),
            other => unreachable!("names were asked for: {other:?}"),
        }
    }

    /// What of these transactions has been reversed, in their order.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn reversed(&self, ids: Box<[Sequence]>) -> Result<Vec<Reversed>, Fault> {
        match self.ask(Query::Reversed(ids)).await? {
            Answer::Reversed(reversed) => Ok(reversed),
            other => unreachable!("reversals were asked for: {other:?}"),
        }
    }

    /// Could a request be decided now?
    ///
    /// # Errors
    /// The [`Fault`] that it would be answered with.
    pub async fn ready(&self) -> Result<(), Fault> {
        match self.ask(Query::Ready).await? {
            Answer::Ready => Ok(()),
            other => unreachable!("readiness was asked for: {other:?}"),
        }
    }

    /// Who holds a claim: the event that used a key.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn claim(&self, digest: Digest) -> Result<Option<Claimed>, Fault> {
        match self.ask(Query::Claim(digest)).await? {
            Answer::Claim(claimed) => Ok(claimed),
            other => unreachable!("a claim was asked for: {other:?}"),
        }
    }

    /// An open hold, or the claim of its end.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn hold(&self, id: Sequence) -> Result<(Option<Hold>, Option<Claimed>), Fault> {
        match self.ask(Query::Hold(id)).await? {
            Answer::Hold(hold, end) => Ok((hold, end)),
            other => unreachable!("a hold was asked for: {other:?}"),
        }
    }

    /// The number of a name.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn name(&self, kind: NameKind, text: &str) -> Result<Option<NameId>, Fault> {
        match self.ask(Query::Name(kind, text.into())).await? {
            Answer::Name(id) => Ok(id),
            other => unreachable!("a name was asked for: {other:?}"),
        }
    }

    /// The number of a name, which is given one if it has none yet. A known one is told even while nothing
    /// can be written.
    ///
    /// # Errors
    /// [`Unnamed`]: the name is longer than the rules allow, or a fault.
    pub async fn intern(&self, kind: NameKind, text: &str) -> Result<NameId, Unnamed> {
        let receipt = self.send(Work::Name(kind, text.into())).await?;
        match &receipt.outcomes[0] {
            Outcome::Named(id) => Ok(*id),
            Outcome::Decided(offset) => match event_at(&receipt, *offset)?.body {
                ledger::Body::Named { id, .. } => Ok(id),
                other => unreachable!("a name was interned: {other:?}"),
            },
            Outcome::Refused(refusal) => Err(Unnamed::Refused(*refusal)),
            Outcome::Fault(fault) => Err(Unnamed::Fault(fault.clone())),
            other => unreachable!("a name has a number or none: {other:?}"),
        }
    }

    /// The business day.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn day(&self) -> Result<BusinessDay, Fault> {
        match self.ask(Query::Day).await? {
            Answer::Day(day) => Ok(day),
            other => unreachable!("the day was asked for: {other:?}"),
        }
    }

    /// Sums over all accounts, and the sequence at which they hold.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn trial_balance(&self) -> Result<TrialBalance, Fault> {
        match self.ask(Query::TrialBalance).await? {
            Answer::TrialBalance(balance) => Ok(balance),
            other => unreachable!("a trial balance was asked for: {other:?}"),
        }
    }

    /// An operator has checked the clock.
    ///
    /// # Errors
    /// As [`Books::submit`].
    pub async fn confirm_clock(&self) -> Result<(), Fault> {
        self.send(Work::ConfirmClock).await.map(drop)
    }

    /// Has the rules thread stop after what is before this in the queue.
    pub(crate) fn stop(&self) {
        let prior = crate::sequencer::Prior::default();
        // A full queue empties; a closed one has stopped already.
        while let Err(Fault::Overloaded) = self.sequencer.submit(Submission {
            work: Work::Stop,
            prior: prior.clone(),
            reply: Box::new(|_| ()),
        }) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    async fn ask(&self, query: Query) -> Result<Answer, Fault> {
        let mut receipt = self.send(Work::Query(query)).await?;
        match receipt.outcomes.pop() {
            Some(Outcome::Answer(answer)) => Ok(*answer),
            Some(Outcome::Fault(fault)) => Err(fault),
            other => unreachable!("a question has an answer: {other:?}"),
        }
    }

    async fn send(&self, work: Work) -> Result<Receipt, Fault> {
        let prior = self.reads.prepare(&work.digests())?;
        let (answer, answered) = oneshot::channel();
        // If the caller went away meanwhile, nobody hears the answer; the request counts all the same.
        let reply = Box::new(move |receipt| drop(answer.send(receipt)));
        self.sequencer.submit(Submission { work, prior, reply })?;
        answered.await.unwrap_or(Err(Fault::Stopped))
    }

    /// What became of the request at `index` of those that a receipt answers. A replay is read from the disk.
    ///
    /// # Errors
    /// The [`Fault`] that this request met, or the one of reading the older event.
    pub fn decided(&self, receipt: &Receipt, index: usize, fingerprint: Digest) -> Result<Decided, Fault> {
        match &receipt.outcomes[index] {
            Outcome::Decided(offset) => Ok(Decided::of(event_at(receipt, *offset)?, false)),
            Outcome::Earlier(claimed) => {
                let event = self.reads.event(claimed.sequence)?.ok_or_else(|| missing(claimed.sequence))?;
                if event.fingerprint == fingerprint {
                    Ok(Decided::of(event, true))
                } else {
                    Ok(Decided::KeyReused { by: claimed.sequence })
                }
            }
            Outcome::Refused(refusal) => {
                Ok(Decided::Refused { refusal: *refusal, replayed: false, event: None })
            }
            Outcome::Throttled(wait) => Ok(Decided::Throttled(*wait)),
            Outcome::Fault(fault) => Err(fault.clone()),
            other => unreachable!("a request has an outcome of its own: {other:?}"),
        }
    }
}

fn event_at(receipt: &Receipt, offset: u32) -> Result<Event, Fault> {
    codec::decode(receipt.frame.record(offset).bytes()).map_err(|error| Fault::Unreadable(error.to_string()))
}

/// The members of a group that was decided now: their records follow the header's.
fn members_at(receipt: &Receipt, header: u32, event: &Event) -> Result<Vec<Event>, Fault> {
    let ledger::Body::Group { members } = event.body else { return Ok(Vec::new()) };
    let mut offset = header;
    let mut next = || {
        offset += receipt.frame.record(offset).bytes().len() as u32;
        event_at(receipt, offset)
    };
    (0..members).map(|_| next()).collect()
}

/// A claim leads to an event that is durable by the time its receipt is given out.
fn missing(sequence: Sequence) -> Fault {
    Fault::Unreadable(format!("event {sequence} is claimed but not there"))
}
