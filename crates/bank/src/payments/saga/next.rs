//! What an observation makes of a saga: one case analysis, by what was seen.

use super::{Answer, Because, Next, Observation, Resolution, Saga, State, Step, Trouble};

/// What `saw` makes of a saga. A saga that has looked `tries_max` times in vain is held.
///
/// An observation that does not belong to the state changes nothing: it is old, or said twice.
#[must_use]
pub fn next(before: &Saga, saw: Observation, tries_max: u32) -> Next {
    match saw {
        Observation::Posted(step) if before.state.step() == Some(step) => posted(before, step),
        Observation::Refused { step, attempt, because }
            if before.state.step() == Some(step) && before.attempt == attempt =>
        {
            refused(before, step, because, tries_max)
        }
        Observation::Posted(_) | Observation::Refused { .. } => stay(before),
        Observation::Window if before.state == State::Funded => to(State::Submitted),
        Observation::Window => stay(before),
        Observation::Rail(answer) => said(before, answer, tries_max),
        Observation::Denied if before.state == State::CancelRequested => {
            let tries = if before.held { 0 } else { before.tries };
            moved(Saga { state: State::Accepted, tries, held: false, ..*before })
        }
        Observation::Denied => stay(before),
        Observation::Silence => match before.state {
            State::Submitted | State::Unknown => in_vain(before, State::Unknown, tries_max),
            State::Accepted | State::CancelRequested => in_vain(before, before.state, tries_max),
            _ => stay(before),
        },
        Observation::CancelAsked => cancel(before),
        Observation::Operator(resolution) => decided(before, resolution),
        // Of two-phase payments only.
        Observation::Peer(_) | Observation::TimeUp => stay(before),
    }
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

fn trouble(before: &Saga, trouble: Trouble) -> Next {
    Next { saga: *before, trouble: Some(trouble) }
}

fn posted(before: &Saga, step: Step) -> Next {
    match step {
        // It never left the house, so nobody has to be asked.
        Step::Fund if before.cancel => to(State::Cancelled),
        Step::Fund => to(State::Funded),
        Step::Settle => to(State::Settled),
        Step::Reverse => to(State::Reversed),
        Step::Suspend => Next { saga: Saga::at(State::Suspended), trouble: Some(Trouble::InSuspense) },
    }
}

fn refused(before: &Saga, step: Step, because: Because, tries_max: u32) -> Next {
    match (step, because) {
        (Step::Fund, _) => to(State::Refused),
        (Step::Reverse, Because::Closed) => to(State::Suspending),
        (Step::Reverse, Because::TakenBack) => {
            Next { saga: Saga::at(State::Reversed), trouble: Some(Trouble::StepRefused) }
        }
        _ => in_vain(&Saga { attempt: before.attempt + 1, ..*before }, before.state, tries_max),
    }
}

/// One more look in vain; at the bound the saga is held.
fn in_vain(before: &Saga, state: State, tries_max: u32) -> Next {
    if before.held {
        return moved(Saga { state: before.state, ..*before });
    }
    let tries = before.tries + 1;
    if tries < tries_max {
        return moved(Saga { state, tries, ..*before });
    }
    let trouble = match state {
        State::Accepted => Trouble::Late,
        state if state.is_out() => Trouble::Unknown,
        _ => Trouble::StepRefused,
    };
    Next { saga: Saga { state, tries, held: true, ..*before }, trouble: Some(trouble) }
}

fn said(before: &Saga, answer: Answer, tries_max: u32) -> Next {
    match (before.state, answer) {
        (State::Created | State::Funded | State::Refused, Answer::NotFound) => stay(before),
        (State::Created | State::Funded | State::Refused, _) => trouble(before, Trouble::Contradiction),

        (state, Answer::Settled) if state.is_out() => to(State::Settling),
        (state, Answer::Rejected) if state.is_out() => to(State::Rejected),
        (state, Answer::Cancelled) if state.is_out() => to(State::Cancelled),

        // Tries are kept: a rail that has it, has it not, has it again makes no progress.
        (State::Submitted | State::Unknown, Answer::Accepted) => {
            let tries = if before.held { 0 } else { before.tries };
            moved(Saga { state: State::Accepted, tries, held: false, ..*before })
        }
        (State::Accepted, Answer::Accepted) => in_vain(before, State::Accepted, tries_max),
        // An answer to an older question; the next enquiry tells.
        (State::Accepted, Answer::NotFound) => in_vain(before, State::Unknown, tries_max),
        // Sent again, under the same reference.
        (State::Unknown, Answer::NotFound) => in_vain(before, State::Submitted, tries_max),

        (State::Settling | State::Settled, Answer::Rejected | Answer::Cancelled) => {
            trouble(before, Trouble::Contradiction)
        }
        (
            State::Rejected | State::Cancelled | State::Reversed | State::Suspending | State::Suspended,
            Answer::Settled,
        ) => trouble(before, Trouble::Contradiction),
        _ => stay(before),
    }
}

fn cancel(before: &Saga) -> Next {
    match before.state {
        State::Created => moved(Saga { cancel: true, ..*before }),
        State::Funded => to(State::Cancelled),
        State::Submitted | State::Accepted | State::Unknown => to(State::CancelRequested),
        State::CancelRequested if before.held => to(State::CancelRequested),
        _ => stay(before),
    }
}

fn decided(before: &Saga, resolution: Resolution) -> Next {
    match resolution {
        Resolution::Resume if before.held => moved(Saga { tries: 0, held: false, ..*before }),
        Resolution::Cancel => cancel(before),
        Resolution::Paid if before.state.is_out() => to(State::Settling),
        Resolution::NotPaid if before.state.is_out() => to(State::Rejected),
        // Held there means: the last attempt was refused for good, and none is under way.
        Resolution::Suspend if before.held && before.state.step() == Some(Step::Reverse) => {
            to(State::Suspending)
        }
        _ => stay(before),
    }
}
