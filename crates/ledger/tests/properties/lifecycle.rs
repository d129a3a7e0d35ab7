//! Only edges of the diagrams in `docs/rules.md` ever occur.

use std::collections::BTreeMap;

use ledger::{Body, HoldEnd, Sequence, State, Status, TransactionKind};
use proptest::prelude::*;

use crate::generator::steps;
use crate::run::Run;

/// The states of a transaction; a reversal has only the first.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Stage {
    Posted,
    PartlyReversed,
    Reversed,
}

const STATUS_EDGES: &[(Status, Status)] = &[
    (Status::Pending, Status::Active),
    (Status::Active, Status::Frozen),
    (Status::Frozen, Status::Active),
    (Status::Pending, Status::Closed),
    (Status::Active, Status::Closed),
    (Status::Frozen, Status::Closed),
];

const STAGE_EDGES: &[(Stage, Stage)] = &[
    (Stage::Posted, Stage::PartlyReversed),
    (Stage::Posted, Stage::Reversed),
    (Stage::PartlyReversed, Stage::PartlyReversed),
    (Stage::PartlyReversed, Stage::Reversed),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_status_changes_along_the_diagram(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut state = State::new();
        for event in &run.events {
            let before = state.clone();
            state.apply(event);
            for (id, account) in before.accounts() {
                let now = state.account(id).expect("accounts stay").status;
                if now != account.status {
                    prop_assert!(STATUS_EDGES.contains(&(account.status, now)), "account {} at {}", id, event.sequence);
                    let said = matches!(event.body, Body::AccountChanged { status: Some(said), .. }
                        if said == (account.status, now) && event.subject() == Some(id));
                    prop_assert!(said, "the event says so: {:?}", event);
                }
                if account.status == Status::Closed {
                    prop_assert_eq!(Some(account), state.account(id), "closed is final");
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
    fn a_transaction_is_taken_back_at_most_once_in_all(steps in steps()) {
        let mut run = Run::start();
        run.steps(&steps, |_, _, _| {});
        let mut left: BTreeMap<Sequence, (TransactionKind, Vec<i64>, Stage)> = BTreeMap::new();
        for event in &run.events {
            let Body::Posted { kind, reverses, .. } = &event.body else { continue };
            prop_assert_eq!(*kind == TransactionKind::Reversal, reverses.is_some());
            if let Some((original, indices)) = reverses {
                let (kind, amounts, stage) = left.get_mut(original).expect("only what was posted is reversed");
                prop_assert!(*kind != TransactionKind::Reversal, "a reversal is not reversed");
                prop_assert_eq!(indices.len(), event.posted().count());
                for (index, entry) in indices.iter().zip(event.posted()) {
                    amounts[usize::from(*index)] -= entry.amount;
                    prop_assert!(amounts[usize::from(*index)] >= 0, "no more than the original");
                }
                let next = if amounts.iter().all(|left| *left == 0) { Stage::Reversed } else { Stage::PartlyReversed };
                prop_assert!(STAGE_EDGES.contains(&(*stage, next)), "from {:?} to {:?}", stage, next);
                *stage = next;
            }
            let amounts = event.posted().map(|entry| entry.amount).collect();
            left.insert(event.sequence, (*kind, amounts, Stage::Posted));
        }
    }
}
