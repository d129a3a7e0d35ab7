//! The machine as a table: state, what was seen, what comes of it.

use super::*;
use crate::payments::table;

const MAX: u32 = 3;

fn observation(text: &str, saga: &Saga) -> Observation {
    let step = saga.state.step().unwrap_or(Step::Fund);
    let refused = |because| Observation::Refused { step, attempt: saga.attempt, because };
    match text {
        "posted" => Observation::Posted(step),
        "refused" => refused(Because::Other),
        "refused-closed" => refused(Because::Closed),
        "refused-taken-back" => refused(Because::TakenBack),
        "refused-earlier" => {
            Observation::Refused { step, attempt: saga.attempt.wrapping_sub(1), because: Because::Other }
        }
        "window" => Observation::Window,
        "accepted" => Observation::Rail(Answer::Accepted),
        "settled" => Observation::Rail(Answer::Settled),
        "rejected" => Observation::Rail(Answer::Rejected),
        "cancelled" => Observation::Rail(Answer::Cancelled),
        "not-found" => Observation::Rail(Answer::NotFound),
        "denied" => Observation::Denied,
        "silence" => Observation::Silence,
        "cancel" => Observation::CancelAsked,
        _ => {
            let name = text.strip_prefix("person:").unwrap_or_else(|| panic!("{text}"));
            Observation::Operator(Resolution::ALL.into_iter().find(|r| r.name() == name).unwrap())
        }
    }
}

#[track_caller]
fn check(table: &str) {
    for line in table::lines(table) {
        let before = table::saga(line.before);
        let step = next(&before, observation(line.saw, &before), MAX);
        line.expects((step.saga, step.trouble), before, table::saga);
    }
}

#[test]
fn the_good_way() {
    check(
        "created          | posted   | funded
         funded           | window   | submitted
         submitted        | accepted | accepted
         accepted         | settled  | settling
         submitted        | settled  | settling
         settling         | posted   | settled",
    );
}

#[test]
fn what_the_books_refuse_to_fund_moves_nothing() {
    check(
        "created          | refused  | refused
         created cancel   | refused  | refused",
    );
}

#[test]
fn silence_is_never_a_failure() {
    check(
        "submitted              | silence   | unknown try=1
         unknown try=1          | silence   | unknown try=2
         unknown try=2          | silence   | unknown try=3 held ! Unknown
         unknown try=1          | settled   | settling
         unknown try=1          | rejected  | rejected
         unknown try=1          | accepted  | accepted try=1
         accepted               | silence   | accepted try=1
         accepted try=2         | accepted  | accepted try=3 held ! Late",
    );
}

#[test]
fn not_found_is_no_rejection() {
    check(
        "unknown try=1          | not-found | submitted try=2
         submitted try=2        | silence   | unknown try=3 held ! Unknown
         submitted              | not-found | =
         accepted               | not-found | unknown try=1
         cancel_requested       | not-found | =",
    );
}

#[test]
fn a_late_answer_ends_the_hold() {
    check(
        "unknown try=3 held     | settled   | settling
         unknown try=3 held     | rejected  | rejected
         unknown try=3 held     | accepted  | accepted
         unknown try=3 held     | not-found | =
         unknown try=3 held     | silence   | =
         accepted try=3 held    | accepted  | =
         cancel_requested held  | cancelled | cancelled
         cancel_requested try=3 held | denied | accepted",
    );
}

#[test]
fn a_cancel_counts_once_it_is_confirmed() {
    check(
        "created                | cancel    | created cancel
         created cancel         | posted    | cancelled
         funded                 | cancel    | cancelled
         submitted              | cancel    | cancel_requested
         accepted try=2         | cancel    | cancel_requested
         cancel_requested       | accepted  | =
         cancel_requested       | cancelled | cancelled
         cancel_requested       | settled   | settling
         cancel_requested       | denied    | accepted
         cancel_requested try=2 | silence   | cancel_requested try=3 held ! Unknown
         settling               | cancel    | =
         rejected               | cancel    | =",
    );
}

#[test]
fn a_refused_step_is_tried_again_under_the_next_attempt() {
    check(
        "settling                   | refused            | settling attempt=1 try=1
         settling attempt=1 try=1   | refused-earlier    | =
         settling attempt=2 try=2   | refused            | settling attempt=3 try=3 held ! StepRefused
         rejected                   | refused-closed     | suspending
         rejected                   | refused-taken-back | reversed ! StepRefused
         cancelled attempt=1 try=1  | posted             | reversed
         suspending                 | posted             | suspended ! InSuspense",
    );
}

#[test]
fn what_a_rail_has_said_for_good_stands() {
    check(
        "settling    | rejected  | = ! Contradiction
         settled     | cancelled | = ! Contradiction
         settled     | settled   | =
         settled     | accepted  | =
         rejected    | settled   | = ! Contradiction
         reversed    | settled   | = ! Contradiction
         suspended   | settled   | = ! Contradiction
         reversed    | rejected  | =
         funded      | settled   | = ! Contradiction
         refused     | settled   | = ! Contradiction
         created     | not-found | =",
    );
}

#[test]
fn a_person_decides_what_is_held_or_out() {
    check(
        "unknown try=3 held          | person:resume   | unknown
         unknown try=3 held          | person:cancel   | cancel_requested
         unknown try=3 held          | person:paid     | settling
         unknown try=3 held          | person:not_paid | rejected
         cancel_requested held       | person:cancel   | cancel_requested
         settling attempt=3 held     | person:resume   | settling attempt=3
         rejected attempt=3 held     | person:suspend  | suspending
         rejected attempt=3          | person:suspend  | =
         settled                     | person:not_paid | =
         reversed                    | person:paid     | =
         unknown                     | person:resume   | =",
    );
}

#[test]
fn every_state_has_a_name_of_its_own() {
    for state in State::ALL {
        assert_eq!(State::named(state.name()), Some(state));
    }
}
