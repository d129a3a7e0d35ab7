//! The two machines as tables: state, what was seen, what comes of it.

use super::participant::{self, Keeping};
use super::{Standing, Verdict, coordinator};
use crate::payments::saga::{Because, Observation, Resolution, Saga, State, Step};
use crate::payments::table;

const MAX: u32 = 3;

fn observation(text: &str, before: &Saga) -> Observation {
    let step = match before.state {
        State::Created => Step::Fund,
        State::Settling => Step::Settle,
        _ => Step::Reverse,
    };
    match text {
        "posted" => Observation::Posted(step),
        "books-refused" => Observation::Refused { step, attempt: before.attempt, because: Because::Other },
        "window" => Observation::Window,
        "silence" => Observation::Silence,
        "cancel" => Observation::CancelAsked,
        "time-up" => Observation::TimeUp,
        "person:paid" => Observation::Operator(Resolution::Paid),
        "person:not_paid" => Observation::Operator(Resolution::NotPaid),
        "person:cancel" => Observation::Operator(Resolution::Cancel),
        name => {
            let known = Standing::ALL.into_iter().find(|standing| standing.name() == name);
            Observation::Peer(known.unwrap_or_else(|| panic!("{name}")))
        }
    }
}

#[track_caller]
fn coordinates(table: &str) {
    for line in table::lines(table) {
        let before = table::saga(line.before);
        let next = coordinator::next(&before, observation(line.saw, &before), MAX);
        line.expects((next.saga, next.trouble), before, table::saga);
    }
}

#[test]
fn both_prepare_then_both_commit() {
    coordinates(
        "created             | posted        | funded
         created             | books-refused | refused
         funded              | window        | submitted
         submitted           | prepared      | settling
         unknown try=2       | prepared      | settling
         settling            | posted        | settling booked
         settling booked     | committed     | settled booked",
    );
}

#[test]
fn whoever_does_not_prepare_has_it_aborted() {
    coordinates(
        "submitted           | refused       | rejected
         submitted           | aborted       | rejected
         rejected            | posted        | reversed booked
         submitted           | silence       | unknown try=1
         unknown try=3       | silence       | unknown try=3
         unknown             | not_found     | unknown try=1
         unknown try=2       | time-up       | cancel_requested
         submitted           | cancel        | cancel_requested
         submitted           | person:cancel | cancel_requested
         cancel_requested    | posted        | cancel_requested booked
         cancel_requested booked | aborted   | reversed booked
         created             | cancel        | created cancel
         created cancel      | posted        | cancelled
         funded              | cancel        | cancelled
         cancelled           | posted        | reversed booked",
    );
}

#[test]
fn a_decision_never_changes() {
    coordinates(
        "settling            | cancel        | =
         settling            | time-up       | =
         settling            | refused       | =
         settling booked     | cancel        | =
         cancel_requested    | prepared      | =
         cancel_requested booked | prepared  | =
         rejected            | prepared      | =
         settled booked      | aborted       | =",
    );
}

#[test]
fn what_is_decided_is_told_until_it_is_acknowledged_and_a_case_says_that_it_takes_long() {
    coordinates(
        "settling booked try=1         | silence   | settling booked try=2
         settling booked try=2         | silence   | settling booked try=3 ! Late
         settling booked try=3         | silence   | settling booked try=4
         settling booked try=7         | committed | settled booked
         cancel_requested booked try=2 | silence   | cancel_requested booked try=3 ! Late
         settling                      | books-refused | settling attempt=1 try=1
         settling attempt=2 try=2      | books-refused | settling attempt=3 try=3 ! StepRefused
         settling booked               | person:paid     | settled booked
         cancel_requested booked       | person:not_paid | reversed booked
         settling booked               | person:not_paid | =
         settling                      | person:paid     | =",
    );
}

#[test]
fn what_an_operator_of_the_other_bank_did_is_no_secret() {
    coordinates(
        "submitted               | heuristic_committed | settling
         submitted               | heuristic_aborted   | rejected
         settling booked         | heuristic_committed | settled booked
         settling booked         | heuristic_aborted   | settled booked ! Heuristic
         cancel_requested booked | heuristic_aborted   | reversed booked
         cancel_requested booked | heuristic_committed | reversed booked ! Heuristic
         settling booked         | aborted             | settling booked try=1 ! Contradiction
         settling booked         | not_found           | settling booked try=1 ! Contradiction
         cancel_requested booked | committed           | cancel_requested booked try=1 ! Contradiction",
    );
}

fn keeping(text: &str) -> Keeping {
    let mut keeping = Keeping::NEW;
    let verdict = |name: &str| Some(Verdict::named(name).unwrap_or_else(|| panic!("{name}")));
    let state = table::words(text, |name, value| match (name, value) {
        ("try", Some(n)) => keeping.tries = n.parse().unwrap(),
        ("attempt", Some(n)) => keeping.attempt = n.parse().unwrap(),
        ("decision", Some(name)) => keeping.decision = verdict(name),
        ("told", Some(name)) => keeping.told = verdict(name),
        ("heuristic", None) => keeping.heuristic = true,
        _ => panic!("{name} in {text:?}"),
    });
    Keeping { state: participant::State::named(state).unwrap_or_else(|| panic!("{state}")), ..keeping }
}

fn seen(text: &str, before: &Keeping) -> participant::Observation {
    use participant::Observation as O;
    let step = match before.act() {
        participant::Act::Post(step) => step,
        _ => participant::Step::Prepare,
    };
    match text {
        "posted" => O::Posted(step),
        "books-refused" => O::Refused { step, attempt: before.attempt },
        "commit" => O::Told(Verdict::Commit),
        "abort" => O::Told(Verdict::Abort),
        "person:commit" => O::Operator(Verdict::Commit),
        "person:abort" => O::Operator(Verdict::Abort),
        "undecided" => O::Undecided,
        "not-known" => O::NotKnown,
        "silence" => O::Silence,
        _ => panic!("{text}"),
    }
}

#[track_caller]
fn keeps(table: &str) {
    for line in table::lines(table) {
        let before = keeping(line.before);
        let next = participant::next(&before, seen(line.saw, &before), MAX);
        line.expects((next.keeping, next.trouble), before, keeping);
    }
}

#[test]
fn a_promise_is_kept_until_the_coordinator_decides() {
    keeps(
        "preparing                            | posted        | prepared
         preparing                            | books-refused | refused
         prepared                             | commit        | committing decision=commit told=commit
         prepared                             | abort         | aborting decision=abort told=abort
         committing decision=commit told=commit | posted      | committed decision=commit told=commit
         aborting decision=abort told=abort   | posted        | aborted decision=abort told=abort
         prepared                             | silence       | prepared try=1
         prepared try=2                       | undecided     | prepared try=3 ! InDoubt
         prepared try=3                       | silence       | prepared try=4
         prepared                             | not-known     | prepared try=1 ! NotKnown
         prepared try=9                       | commit        | committing decision=commit told=commit",
    );
}

#[test]
fn an_abort_that_overtakes_the_prepare_counts() {
    keeps(
        "preparing                           | abort         | preparing decision=abort told=abort
         preparing decision=abort told=abort | posted        | aborting decision=abort told=abort
         preparing decision=abort told=abort | books-refused | refused decision=abort told=abort
         refused                             | abort         | refused told=abort
         refused                             | commit        | = ! Contradiction
         preparing                           | commit        | = ! Contradiction",
    );
    assert_eq!(Keeping::NEVER.standing(), Some(Standing::Aborted));
}

#[test]
fn an_operators_decision_stands_and_what_contradicts_it_is_a_case_once() {
    keeps(
        "prepared                                     | person:abort  | aborting decision=abort heuristic
         preparing                                    | person:abort  | =
         committed decision=commit told=commit        | person:abort  | =
         aborted decision=abort heuristic             | abort         | aborted decision=abort heuristic told=abort
         aborted decision=abort heuristic             | commit        | aborted decision=abort heuristic told=commit ! Heuristic
         aborted decision=abort heuristic told=commit | commit        | =
         committed decision=commit told=commit        | abort         | = ! Contradiction
         aborting decision=abort heuristic            | person:commit | =",
    );
    let stands = |text: &str| keeping(text).standing();
    assert_eq!(stands("aborted decision=abort heuristic"), Some(Standing::HeuristicAborted));
    assert_eq!(stands("aborted decision=abort heuristic told=abort"), Some(Standing::Aborted));
    assert_eq!(stands("committed decision=commit heuristic told=abort"), Some(Standing::HeuristicCommitted));
    assert_eq!(stands("committing decision=commit told=commit"), None, "not before the books have it");
}

#[test]
fn every_word_stands_for_one_thing() {
    for state in participant::State::ALL {
        assert_eq!(participant::State::named(state.name()), Some(state));
    }
    for mode in super::Mode::ALL {
        assert_eq!(super::Mode::named(mode.name()), Some(mode));
    }
}
