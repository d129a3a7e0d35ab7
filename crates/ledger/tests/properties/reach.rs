//! A property says nothing about what its sequences never do, so this says what they do.

use std::collections::BTreeMap;

use ledger::{Body, Code};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::generator::steps;
use crate::run::{Asked, Run};

/// Codes that these sequences do not reach: texts and sizes, which tables test at their edges, what is made
/// elsewhere (see the tables), and the first day, which every sequence has behind it.
const NOT_HERE: &[Code] = &[
    Code::BatchRefused,
    Code::UnknownTransaction,
    Code::TextTooLong,
    Code::CurrencyMismatch,
    Code::FirstDayTooEarly,
];

#[test]
fn the_sequences_reach_every_kind_of_event_and_nearly_every_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut events: BTreeMap<String, u32> = BTreeMap::new();
    let mut codes: BTreeMap<Code, u32> = BTreeMap::new();
    for _ in 0..2_000 {
        let steps = steps().new_tree(&mut runner).expect("no filters").current();
        let mut run = Run::start();
        run.steps(&steps, |_, decided, after| match &decided.outcome {
            Err(refusal) if after.is_none() => *codes.entry(refusal.code).or_default() += 1,
            Ok(_) if after.is_none() && matches!(decided.asked, Asked::Group(..)) => {
                *events.entry("accepted group".into()).or_default() += 1;
            }
            _ => {}
        });
        for event in &run.events {
            let kind = match &event.body {
                Body::Posted { kind, .. } => kind.name().to_owned(),
                Body::HoldEnded { how, .. } => how.name().to_owned(),
                body => format!("{body:?}").split([' ', '(', '{']).next().expect("a word").to_owned(),
            };
            *events.entry(kind).or_default() += 1;
        }
    }
    let missing: Vec<_> =
        Code::ALL.iter().filter(|code| !codes.contains_key(code) && !NOT_HERE.contains(code)).collect();
    assert!(missing.is_empty(), "never refused with {missing:?}\n{codes:#?}");
    for kind in [
        "deposit",
        "withdrawal",
        "transfer",
        "journal_entry",
        "capture",
        "reversal",
        "HoldPlaced",
        "voided",
        "expired",
        "AccountOpened",
        "AccountChanged",
        "Named",
        "DayOpened",
        "DayClosed",
        "Refused",
        "accepted group",
    ] {
        assert!(events.get(kind).is_some_and(|count| *count > 40), "too few of {kind}: {events:#?}");
    }
}
