//! The scenarios, in the order in which they are played. One a file.

mod crash_between;
mod double_spend;
mod double_submit;
mod downstream_down;
mod downstream_refuses;
mod kill_in_transfer;
mod lost_answer;
mod lost_message;
mod lost_response;
mod partial_commit;
mod silent_rail;

use super::scenario::Scenario;

/// All of them.
pub(super) const SCENARIOS: [&Scenario; 11] = [
    &partial_commit::SCENARIO,
    &lost_response::SCENARIO,
    &double_submit::SCENARIO,
    &double_spend::SCENARIO,
    &kill_in_transfer::SCENARIO,
    &lost_answer::SCENARIO,
    &downstream_down::SCENARIO,
    &downstream_refuses::SCENARIO,
    &crash_between::SCENARIO,
    &lost_message::SCENARIO,
    &silent_rail::SCENARIO,
];
