//! Only steps that `docs/rules.md` draws are ever taken, and all of them can be.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Body, Event, HoldEnd, Sequence, State, Status, TransactionKind};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::generator::steps;
use crate::run::Run;

/// The steps that the page draws under this heading, as pairs of names; `[*]` is the start or the end.
fn drawn(heading: &str) -> BTreeSet<(String, String)> {
    let page = include_str!("../../../../docs/rules.md");
    let section = page.split_once(&format!("# {heading}\n")).expect("the heading").1;
    let diagram = section.split_once("stateDiagram-v2\n").expect("a diagram").1;
    let steps = diagram.lines().take_while(|line| !line.starts_with("```"));
    steps
        .map(|line| {
            let step = line.split(':').next().expect("a step");
            let (from, to) = step.split_once("-->").expect("an arrow");
            (from.trim().to_owned(), to.trim().to_owned())
        })
        .collect()
}

type Steps = Vec<(String, String)>;
/// A heading of the page, and the steps that events take there.
type Life = (&'static str, fn(&[Event]) -> Steps);

/// Every change of a status that the events of a run made, openings included.
fn statuses(events: &[Event]) -> Steps {
    let mut taken = Vec::new();
    let mut state = State::new();
    for event in events {
        let before = state.clone();
        state.apply(event);
        for (id, account) in state.accounts() {
            let old = before.account(id);
            if old.is_none_or(|old| old.status != account.status) {
                let from = old.map_or("[*]", |old| old.status.name());
                taken.push((from.into(), account.status.name().into()));
            }
        }
    }
    taken
}

/// Every step in the life of a hold.
fn holds(events: &[Event]) -> Steps {
    let mut at: BTreeMap<Sequence, &str> = BTreeMap::new();
    let mut taken = Vec::new();
    for event in events {
        let (hold, to) = match &event.body {
            Body::HoldPlaced { .. } => (event.sequence, "placed"),
            Body::Posted { hold: Some(hold), .. } => (*hold, "captured"),
            Body::HoldEnded { hold, how } => (*hold, how.name()),
            _ => continue,
        };
        let from = at.insert(hold, to).unwrap_or("[*]");
        taken.push((from.into(), to.into()));
    }
    taken
}

/// Every step in the life of a transaction.
fn transactions(events: &[Event]) -> Steps {
    let mut left: BTreeMap<Sequence, (Vec<i64>, &str)> = BTreeMap::new();
    let mut taken = vec![];
    for event in events {
        let Body::Posted { reverses, .. } = &event.body else { continue };
        if let Some((original, indices)) = reverses {
            let (amounts, stage) = left.get_mut(original).expect("only what was posted is reversed");
            for (index, entry) in indices.iter().zip(event.posted()) {
                amounts[usize::from(*index)] -= entry.amount;
            }
            assert!(amounts.iter().all(|left| *left >= 0), "no more than the original");
            let to = if amounts.iter().all(|left| *left == 0) { "reversed" } else { "partly_reversed" };
            taken.push(((*stage).into(), to.into()));
            *stage = to;
        }
        taken.push(("[*]".into(), "posted".into()));
        left.insert(event.sequence, (event.posted().map(|entry| entry.amount).collect(), "posted"));
    }
    taken
}

const LIVES: [Life; 3] = [("Statuses", statuses), ("Holds", holds), ("Transactions", transactions)];

/// The page draws no step that cannot be taken: these sequences take them all.
#[test]
fn every_step_of_the_diagrams_is_taken() {
    let mut runner = TestRunner::deterministic();
    let mut missing = LIVES.map(|(heading, _)| drawn(heading));
    // The end of a life is not a step.
    missing.iter_mut().for_each(|steps| steps.retain(|(_, to)| to != "[*]"));
    for _ in 0..1_000 {
        let steps = steps().new_tree(&mut runner).expect("no filters").current();
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        for (missing, (_, life)) in missing.iter_mut().zip(LIVES) {
            life(&run.events).iter().for_each(|step| {
                missing.remove(step);
            });
        }
    }
    assert_eq!(missing, [const { BTreeSet::new() }; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn only_steps_of_the_diagrams_are_taken(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        for (heading, life) in LIVES {
            let drawn = drawn(heading);
            for step in life(&run.events) {
                prop_assert!(drawn.contains(&step), "{:?} is not drawn under {}", step, heading);
            }
        }
    }

    #[test]
    fn a_status_changes_by_an_event_that_says_so_and_closed_is_final(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut state = State::new();
        for event in &run.events {
            let before = state.clone();
            state.apply(event);
            for (id, account) in before.accounts() {
                let now = state.account(id).expect("accounts stay");
                if now.status != account.status {
                    let said = matches!(event.body, Body::AccountChanged { status: Some(said), .. }
                        if said == (account.status, now.status) && event.subject() == Some(id));
                    prop_assert!(said, "{:?}", event);
                }
                if account.status == Status::Closed {
                    prop_assert_eq!(account, now);
                }
            }
        }
    }

    #[test]
    fn a_hold_is_placed_once_and_ends_at_most_once(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut holds: BTreeMap<Sequence, Option<HoldEnd>> = BTreeMap::new();
        for event in &run.events {
            let end = match &event.body {
                Body::HoldPlaced { expires_at } => {
                    prop_assert!(*expires_at > event.time);
                    prop_assert_eq!(holds.insert(event.sequence, None), None);
                    continue;
                }
                Body::Posted { hold: Some(hold), kind, .. } => {
                    prop_assert_eq!(*kind, TransactionKind::Capture);
                    (*hold, HoldEnd::Captured)
                }
                Body::HoldEnded { hold, how } => {
                    prop_assert!(*how != HoldEnd::Captured, "a capture is a transaction");
                    (*hold, *how)
                }
                _ => continue,
            };
            prop_assert_eq!(holds.insert(end.0, Some(end.1)), Some(None), "placed, and not ended before");
        }
        let open: Vec<_> = holds.iter().filter(|(_, end)| end.is_none()).map(|(id, _)| *id).collect();
        prop_assert_eq!(run.state.holds().map(|(id, _)| id).collect::<Vec<_>>(), open);
    }

    #[test]
    fn a_reversal_is_not_reversed(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut kinds: BTreeMap<Sequence, TransactionKind> = BTreeMap::new();
        for event in &run.events {
            let Body::Posted { kind, reverses, .. } = &event.body else { continue };
            prop_assert_eq!(*kind == TransactionKind::Reversal, reverses.is_some());
            if let Some((original, indices)) = reverses {
                prop_assert!(kinds[original] != TransactionKind::Reversal);
                prop_assert_eq!(indices.len(), event.posted().count());
            }
            kinds.insert(event.sequence, *kind);
        }
    }
}
