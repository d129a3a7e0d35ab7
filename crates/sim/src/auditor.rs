//! The auditor: is what was answered what is there, and is what is there sound?
//!
//! It reads the history back through [`Reads::scan`], folds it into a [`Model`] (which checks sequence, links,
//! versions, balances and claims on the way), and looks after each event whether the money still adds up.
//! A finding is a panic with a sentence: the callers are tests.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bank::books::Decided;
use bank::store::Reads;
use ledger::entry::Effect;
use ledger::{Currency, Digest, Event, Sequence, Side, State};

use crate::model::{Expected, Fact, Model, What};

/// All events, as they can be read.
///
/// # Panics
/// If they cannot be.
#[must_use]
pub fn history(reads: &dyn Reads) -> Vec<Event> {
    let mut events = Vec::new();
    let scanned = reads.scan(Sequence(1), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    scanned.expect("the history can be read");
    events
}

/// Folds a history from the beginning and checks every invariant after every event.
#[must_use]
pub fn audit<'a>(history: impl IntoIterator<Item = &'a Event>) -> Model {
    let mut model = Model::new((0, 1));
    let mut members = 0;
    for event in history {
        let fact = Fact::from(event);
        assert_eq!(fact.in_group, members > 0, "event {} and its group", fact.sequence);
        members = match fact.what {
            What::Group { members } => members,
            _ => members.saturating_sub(1),
        };
        model.fold(&fact, None);
        sound(&model, &fact);
    }
    assert_eq!(members, 0, "the last group is cut short");
    for (currency, (debits, credits)) in model.sums() {
        assert_eq!(debits, credits, "debits and credits of {currency}");
    }
    model
}

/// What must hold after each event: the entries of a transaction cancel out, nobody is below the floor,
/// what is held is what the open holds say, a refusal
/// and a group's header move nothing.
pub fn sound(after: &Model, fact: &Fact) {
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in &fact.legs {
        let account = &after.accounts[&leg.account];
        assert!(
            account.available() >= 0,
            "account {} is below its floor after {}",
            leg.account,
            fact.sequence
        );
        let holds = after.holds.values().filter(|hold| hold.account == leg.account);
        let promises = after.holds.values().filter(|hold| hold.to == Some(leg.account));
        let open: (i128, i128) =
            (holds.map(|hold| hold.amount).sum(), promises.map(|hold| hold.amount).sum());
        assert_eq!(
            (account.reserved, account.promised),
            open,
            "holds on {} after {}",
            leg.account,
            fact.sequence
        );
        if leg.effect == Effect::Posted {
            assert!(leg.amount > 0, "an entry of nothing in {}", fact.sequence);
            let sign = if leg.side == Side::Debit { 1 } else { -1 };
            *sums.entry(leg.currency).or_default() += sign * leg.amount;
        }
    }
    assert!(sums.values().all(|sum| *sum == 0), "transaction {} does not balance: {sums:?}", fact.sequence);
    let posts = !sums.is_empty();
    assert_eq!(
        posts,
        matches!(fact.what, What::Posted { .. }),
        "what {} does and what it says",
        fact.sequence
    );
    if let What::Posted { reverses: Some((original, _)), .. } = &fact.what {
        let original = &after.transactions[original];
        let within = original
            .lines
            .iter()
            .zip(&original.reversed)
            .all(|(line, reversed)| i128::from(line.amount) >= *reversed);
        assert!(within, "{} takes back more than there was", fact.sequence);
    }
    if matches!(fact.what, What::Refused { .. } | What::Group { .. }) {
        assert!(fact.legs.is_empty(), "a refusal or a header with entries: {}", fact.sequence);
    }
}

/// The state in memory says what the model says of every account, hold and day.
pub fn same_state(state: &State, model: &Model) {
    assert_eq!(state.head().0, model.head(), "the newest event");
    assert_eq!(state.account_count(), model.accounts.len() as u64, "the number of accounts");
    for (id, account) in state.accounts() {
        same_account(id.0, account, &model.accounts[&id.0]);
    }
    let holds: Vec<u64> = state.holds().map(|(id, _)| id.0).collect();
    assert_eq!(holds, model.holds.keys().copied().collect::<Vec<_>>(), "the open holds");
    let day = state.day();
    assert_eq!((day.open.map(|day| day.0), day.newest.map(|day| day.0)), (model.open_day, model.newest_day));
    for (id, transaction) in &model.transactions {
        for (index, reversed) in transaction.reversed.iter().enumerate() {
            let in_state = state.reversed(Sequence(*id), index as u8);
            assert_eq!(i128::from(in_state), *reversed, "what was taken back of {id}");
        }
    }
    assert_eq!(ledger::invariants::check(state), [], "the ledger's own invariants");
}

/// One account, seen and modelled.
pub fn same_account(id: u64, seen: &ledger::Account, model: &crate::model::Account) {
    let figures = (
        seen.ledger_balance(),
        seen.available_balance(),
        seen.reserved(),
        seen.posted(Side::Debit) as i128,
        seen.posted(Side::Credit) as i128,
        seen.version,
        seen.last.0,
        seen.status,
        i128::from(seen.overdraft_limit),
        seen.owner.0,
    );
    let expected = (
        model.balance(),
        model.available(),
        model.reserved,
        model.debits,
        model.credits,
        model.version,
        model.last,
        model.status,
        model.limit,
        model.owner,
    );
    assert_eq!(figures, expected, "account {id}");
}

/// Is this the answer that the model expects?
pub fn same_answer(expected: &Expected, answer: &Decided, model: &Model) {
    match (expected, answer) {
        (Expected::Accepted(facts), Decided::Accepted { event, replayed: false }) => {
            assert_eq!(Fact::from(event), facts[0], "the event that was answered");
        }
        (Expected::Replayed(sequence), Decided::Accepted { event, replayed: true }) => {
            let first = &model.facts[*sequence as usize - 1];
            assert!(!matches!(first.what, What::Refused { .. }), "a refusal was replayed as accepted");
            assert_eq!(Fact::from(event), **first, "the event that was replayed");
        }
        (Expected::Replayed(sequence), Decided::Refused { refusal, replayed: true, event }) => {
            assert_eq!(*event, Some(Sequence(*sequence)), "the refusal that was replayed");
            let What::Refused { code, account, figures, member } = &model.facts[*sequence as usize - 1].what
            else {
                panic!("an accepted request was replayed as refused: {refusal:?}")
            };
            let told = (refusal.code, refusal.account.map(|id| id.0), refusal.figures, refusal.member);
            assert_eq!(told, (*code, *account, *figures, *member), "the refusal that was replayed");
        }
        (Expected::KeyReused(first), Decided::KeyReused { by }) => assert_eq!(by.0, *first),
        (Expected::Refused(why, kept), Decided::Refused { refusal, replayed: false, event }) => {
            assert_eq!(event.map(|event| event.0), kept.as_ref().map(|kept| kept.sequence), "{refusal:?}");
            assert_eq!(refusal.code, why.code, "on {:?}", refusal.account);
            let told = (refusal.account.map(|id| id.0), refusal.figures, refusal.member);
            assert_eq!(told, (why.account, why.figures, why.member), "{:?}", refusal.code);
        }
        (Expected::Throttled, Decided::Throttled(wait)) => assert!(wait.0 >= 1),
        _ => panic!("expected {expected:?}\nanswered {answer:?}"),
    }
}

/// What somebody was told, to be held against the history later.
#[derive(Clone, Debug)]
pub enum Told {
    /// These events happened.
    Happened(Vec<Event>),
    /// Refused and not kept: no event up to this sequence has the key.
    Absent(Digest, Sequence),
}

/// Everything that was ever told is so.
pub fn acknowledged(told: &[Told], history: &[Event], model: &Model) {
    for told in told {
        match told {
            Told::Happened(events) => {
                for event in events {
                    let there = history.get(event.sequence.0 as usize - 1);
                    assert_eq!(there, Some(event), "acknowledged event {} is not there", event.sequence);
                }
            }
            Told::Absent(key, through) => {
                let by = model.keys.get(key).map(|(sequence, _)| *sequence);
                assert!(
                    by.is_none_or(|by| by > through.0),
                    "key {key} was said to be unused through {through}, but {by:?} has it"
                );
            }
        }
    }
}
