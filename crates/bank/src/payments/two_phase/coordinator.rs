//! The coordinator's side of a payment of mode `two_phase`: what is to be done, and what an observation makes of it.
//!
//! The states are those of a payment, with these meanings:
//!
//! | state | here | to be done |
//! |---|---|---|
//! | created | durable | prepare in our books: customer to clearing |
//! | refused | our books refused. An end | |
//! | funded | prepared here; the other bank was not asked | wait for the window |
//! | submitted, unknown | the other bank was asked to prepare | ask it again |
//! | settling | **decided: commit** | commit in our books, then tell the other bank until it acknowledges |
//! | settled | both committed. An end | |
//! | rejected | **decided: abort**, since the other bank refused for good | abort in our books |
//! | cancelled | **decided: abort**, before the other bank was asked | abort in our books |
//! | cancel_requested | **decided: abort**, the other bank may be prepared | abort in our books, then tell it |
//! | reversed | nothing is prepared any more, on either side. An end | |
//!
//! A decision is a state, so it is durable before it is acted upon, and no way leads from one side to the other.

use super::{Standing, Verdict};
use crate::payments::saga::{Act, Next, Observation, Resolution, Saga, State, Step, Trouble};

/// What is to be done now.
#[must_use]
pub fn act(saga: &Saga) -> Act {
    match saga.state {
        State::Created => Act::Post(Step::Fund),
        State::Funded => Act::Await,
        State::Submitted | State::Unknown => Act::Prepare,
        State::Settling | State::CancelRequested if saga.booked => Act::Tell,
        State::Settling => Act::Post(Step::Settle),
        State::Rejected | State::Cancelled | State::CancelRequested => Act::Post(Step::Reverse),
        _ => Act::Rest,
    }
}

/// What was decided; none while it is open.
#[must_use]
pub fn decision(state: State) -> Option<Verdict> {
    match state {
        State::Settling | State::Settled => Some(Verdict::Commit),
        State::Refused | State::Rejected | State::Cancelled | State::CancelRequested | State::Reversed => {
            Some(Verdict::Abort)
        }
        _ => None,
    }
}

/// What `saw` makes of a payment. After `tries_max` fruitless tries there is a case; it goes on nevertheless.
///
/// An observation that does not belong to the state changes nothing: it is old, or said twice.
#[must_use]
pub fn next(before: &Saga, saw: Observation, tries_max: u32) -> Next {
    match (before.state, saw) {
        (_, Observation::Posted(step)) if act(before) == Act::Post(step) => posted(before, step),
        (_, Observation::Refused { step, attempt, .. })
            if act(before) == Act::Post(step) && before.attempt == attempt =>
        {
            match step {
                Step::Fund => to(State::Refused),
                _ => {
                    let again = Saga { attempt: before.attempt + 1, ..*before };
                    in_vain(&again, tries_max, Trouble::StepRefused)
                }
            }
        }
        (State::Funded, Observation::Window) => to(State::Submitted),
        (State::Created, Observation::CancelAsked) => moved(Saga { cancel: true, ..*before }),
        (State::Funded, Observation::CancelAsked) => to(State::Cancelled),
        (State::Submitted | State::Unknown, saw) => asked(before, saw, tries_max),
        (State::Settling | State::CancelRequested, saw) if before.booked => told(before, saw, tries_max),
        _ => stay(before),
    }
}

fn posted(before: &Saga, step: Step) -> Next {
    match step {
        Step::Fund if before.cancel => to(State::Cancelled),
        Step::Fund => to(State::Funded),
        // Not an end yet: the other bank does not know.
        _ if matches!(before.state, State::Settling | State::CancelRequested) => {
            moved(Saga { booked: true, ..Saga::at(before.state) })
        }
        _ => ended(State::Reversed),
    }
}

/// The other bank was asked to prepare: whatever is decided is decided here, once.
fn asked(before: &Saga, saw: Observation, tries_max: u32) -> Next {
    match saw {
        Observation::Peer(Standing::Prepared | Standing::HeuristicCommitted) => to(State::Settling),
        Observation::Peer(Standing::Refused | Standing::Aborted | Standing::HeuristicAborted) => {
            to(State::Rejected)
        }
        // It cannot have been told to. Committing is what agrees with it.
        Observation::Peer(Standing::Committed) => {
            Next { saga: Saga::at(State::Settling), trouble: Some(Trouble::Contradiction) }
        }
        Observation::Silence | Observation::Peer(Standing::Undecided | Standing::NotFound) => {
            let tries = before.tries.saturating_add(1).min(tries_max);
            moved(Saga { state: State::Unknown, tries, ..*before })
        }
        Observation::TimeUp | Observation::CancelAsked | Observation::Operator(Resolution::Cancel) => {
            to(State::CancelRequested)
        }
        _ => stay(before),
    }
}

/// Our books carry the decision, and the other bank is told until it acknowledges.
fn told(before: &Saga, saw: Observation, tries_max: u32) -> Next {
    let commit = before.state == State::Settling;
    let end = if commit { State::Settled } else { State::Reversed };
    match (saw, commit) {
        (Observation::Peer(Standing::Committed | Standing::HeuristicCommitted), true)
        | (Observation::Peer(Standing::Aborted | Standing::Refused | Standing::HeuristicAborted), false) => {
            ended(end)
        }
        (Observation::Peer(Standing::HeuristicAborted), true)
        | (Observation::Peer(Standing::HeuristicCommitted), false) => {
            Next { trouble: Some(Trouble::Heuristic), ..ended(end) }
        }
        // What it acknowledges was never decided, or what was prepared is lost there.
        (Observation::Peer(Standing::Aborted | Standing::Refused | Standing::NotFound), true)
        | (Observation::Peer(Standing::Committed), false) => {
            let next = in_vain(before, tries_max, Trouble::Contradiction);
            Next { trouble: Some(Trouble::Contradiction), ..next }
        }
        (Observation::Silence, _) => in_vain(before, tries_max, Trouble::Late),
        // It is known from elsewhere that the other bank has done it.
        (Observation::Operator(Resolution::Paid), true)
        | (Observation::Operator(Resolution::NotPaid), false) => ended(end),
        _ => stay(before),
    }
}

/// One more try in vain; there is a case at the bound.
fn in_vain(before: &Saga, tries_max: u32, trouble: Trouble) -> Next {
    let tries = before.tries.saturating_add(1);
    let saga = Saga { tries, ..*before };
    Next { saga, trouble: (tries == tries_max).then_some(trouble) }
}

fn moved(saga: Saga) -> Next {
    Next { saga, trouble: None }
}

fn stay(before: &Saga) -> Next {
    moved(*before)
}

fn to(state: State) -> Next {
    moved(Saga::at(state))
}

fn ended(state: State) -> Next {
    moved(Saga { booked: true, ..Saga::at(state) })
}
