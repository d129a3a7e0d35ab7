//! One submission: from work to outcomes.

use ledger::event::{Body, Event, NameKind};
use ledger::rules::{self, Context};
use ledger::{Command, Digest, Note, Refusal, Request, Sequence, Status, View};
use smallvec::{SmallVec, smallvec};

use super::fault::Fault;
use super::submission::{Outcome, Prior, Work};
use crate::identity::quota::Quota;
use crate::store::Store;

/// How many refusals a principal may have recorded: an endless stream of them would fill the disk for free.
pub type RefusalBudget = Quota;

/// Requests whose cache misses are made to overlap: many enough to hide them, few enough that what was
/// fetched for the first is still there for the last.
const TOUCH: usize = 256;

/// Why an account is frozen by nobody.
const SUSPECT: &str = "the database has another balance for this account than its entries say";

/// Decides everything that a submission asks for. Accepted events are in the store's batch afterwards.
pub(super) fn work<S: Store>(
    store: &mut S,
    work: &Work,
    prior: &Prior,
    time: i64,
    budget: &RefusalBudget,
) -> SmallVec<[Outcome; 1]> {
    match work {
        Work::Requests(requests) => {
            let mut outcomes = SmallVec::with_capacity(requests.len());
            for some in requests.chunks(TOUCH) {
                store.touch(some, prior);
                outcomes.extend(some.iter().map(|one| request(store, one, prior, time, budget)));
            }
            outcomes
        }
        Work::Group { header, members } => smallvec![group(store, header, members, prior, time, budget)],
        Work::Name(kind, text) => smallvec![name(store, *kind, text, prior, time, budget)],
        Work::Query(query) => smallvec![Outcome::Answer(Box::new(store.answer(query, prior)))],
        Work::ConfirmClock | Work::Stop => smallvec![Outcome::Done],
    }
}

/// While nothing may be decided: what is known already is told, everything else meets the fault. A client that
/// sends a request again under its key learns what became of it even from a bank with a full disk.
pub(super) fn known<S: Store>(
    store: &mut S,
    work: &Work,
    prior: &Prior,
    fault: &Fault,
) -> SmallVec<[Outcome; 1]> {
    let view = store.view(prior);
    let or_fault = |known: Option<Outcome>| known.unwrap_or_else(|| Outcome::Fault(fault.clone()));
    let told = |request: &Request| or_fault(earlier(&view, request.key));
    match work {
        Work::Requests(requests) => requests.iter().map(told).collect(),
        Work::Group { header, .. } => smallvec![told(header)],
        Work::Name(kind, text) => smallvec![or_fault(view.name(*kind, text).map(Outcome::Named))],
        Work::Query(_) | Work::ConfirmClock | Work::Stop => unreachable!("they need no decision"),
    }
}

/// Decides one request on its own.
pub(super) fn request<S: Store>(
    store: &mut S,
    request: &Request,
    prior: &Prior,
    time: i64,
    budget: &RefusalBudget,
) -> Outcome {
    let context = Context { sequence: store.next(), time };
    let view = store.view(prior);
    if let Some(earlier) = earlier(&view, request.key) {
        return earlier;
    }
    match rules::decide(&view, request, context) {
        Ok(event) => {
            drop(view);
            Outcome::Decided(store.accept(&event))
        }
        Err(refusal) => {
            let record = recording(&view, request, refusal, context, budget);
            drop(view);
            record.map_or_else(|outcome| outcome, |event| Outcome::Decided(store.accept(&event)))
        }
    }
}

fn group<S: Store>(
    store: &mut S,
    header: &Request,
    members: &[Request],
    prior: &Prior,
    time: i64,
    budget: &RefusalBudget,
) -> Outcome {
    let context = Context { sequence: store.next(), time };
    let view = store.view(prior);
    if let Some(earlier) = earlier(&view, header.key) {
        return earlier;
    }
    let decided = rules::decide_group(&view, header, members, context)
        .map_err(|refusal| recording(&view, header, refusal, context, budget));
    drop(view);
    match decided {
        Ok(events) => {
            let offsets: Vec<u32> = events.iter().map(|event| store.accept(event)).collect();
            Outcome::Decided(offsets[0])
        }
        Err(Ok(event)) => Outcome::Decided(store.accept(&event)),
        Err(Err(outcome)) => outcome,
    }
}

fn earlier(view: &impl View, key: Digest) -> Option<Outcome> {
    if key.is_none() {
        return None;
    }
    view.claimed(&key).map(Outcome::Earlier)
}

/// The number of a name, given now if it has none.
fn name<S: Store>(
    store: &mut S,
    kind: NameKind,
    text: &str,
    prior: &Prior,
    time: i64,
    budget: &RefusalBudget,
) -> Outcome {
    if let Some(known) = store.view(prior).name(kind, text) {
        return Outcome::Named(known);
    }
    let new = Request::new(Command::Name { kind, text: text.into() }, Default::default());
    request(store, &new, prior, time, budget)
}

/// The event that keeps a refusal, or what to answer if it is not kept.
fn recording(
    view: &impl View,
    request: &Request,
    refusal: Refusal,
    context: Context,
    budget: &RefusalBudget,
) -> Result<Event, Outcome> {
    if !refusal.is_recorded() || request.key.is_none() {
        return Err(Outcome::Refused(refusal));
    }
    budget.take(request.principal.0, 1, context.time).map_err(Outcome::Throttled)?;
    Ok(rules::record_refusal(view, request, context, refusal))
}

/// Ends holds whose time has come, oldest first, at most `limit`: by commands like any other, so that
/// replay needs no clock.
pub(super) fn expire_due<S: Store>(store: &mut S, time: i64, limit: usize, budget: &RefusalBudget) {
    let nobody = Prior::default();
    for _ in 0..limit {
        let Some(hold) = store.due(time) else { return };
        let expire = Request::new(Command::Expire { hold }, Default::default());
        let outcome = request(store, &expire, &nobody, time, budget);
        assert!(matches!(outcome, Outcome::Decided(_)), "a hold that is due can expire: {outcome:?}");
    }
}

/// Freezes the accounts that the store cannot vouch for, by commands like any other. Who unfreezes one while it
/// is still in doubt sees it frozen again.
pub(super) fn freeze_suspects<S: Store>(store: &mut S, time: i64, budget: &RefusalBudget) {
    for account in store.suspects() {
        let command = Command::ChangeAccount {
            account,
            status: Some(Status::Frozen),
            overdraft_limit: None,
            expected_version: None,
        };
        let note = Note { description: Some(SUSPECT.into()), ..Note::default() };
        let freeze = Request { note: Some(note.into()), ..Request::new(command, Default::default()) };
        let outcome = request(store, &freeze, &Prior::default(), time, budget);
        assert!(matches!(outcome, Outcome::Decided(_)), "an active account can be frozen: {outcome:?}");
    }
}

/// Opens the books: the first event.
///
/// # Errors
/// The refusal, if the bank cannot be called so; nothing has changed.
pub fn open_bank<S: Store>(
    store: &mut S,
    bank: [u8; 16],
    timeline: u32,
    name: &str,
    time: i64,
) -> Result<(), Refusal> {
    debug_assert_eq!(store.next(), Sequence(1));
    let event = rules::open_bank(bank, timeline, name, Context { sequence: store.next(), time })?;
    debug_assert!(matches!(event.body, Body::BankOpened { .. }));
    store.accept(&event);
    Ok(())
}
