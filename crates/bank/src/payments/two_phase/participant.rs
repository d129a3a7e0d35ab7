//! The participant's side: what state a promise is in, what is to be done there, and what an observation makes of it.
//!
//! ```text
//!  preparing ─► prepared ─┬─► committing ─► committed
//!      │                  └─► aborting ───► aborted ◄── an abort that came before the prepare
//!      └─► refused
//! ```
//! Pure, like the saga. What the rules are:
//! - What is prepared is ended by a decision and by nothing else; time only makes us ask.
//! - A decision that was taken never changes, whoever took it.
//! - The coordinator's word is what it said in its own name. One that contradicts an operator's decision moves no
//!   money: a case.
//! - A coordinator that does not know the promise is no abort: a case.

use super::{Standing, Verdict};

/// Where a promise stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Durable; our books are deciding.
    Preparing,
    /// Promised: it waits for the decision.
    Prepared,
    /// Our books refused. An end.
    Refused,
    /// Decided; being posted.
    Committing,
    /// The beneficiary has the money. An end.
    Committed,
    /// Decided; being given up.
    Aborting,
    /// Nothing is promised any more. An end.
    Aborted,
}

impl State {
    /// Every state.
    pub const ALL: [State; 7] = [
        State::Preparing,
        State::Prepared,
        State::Refused,
        State::Committing,
        State::Committed,
        State::Aborting,
        State::Aborted,
    ];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Preparing => "preparing",
            State::Prepared => "prepared",
            State::Refused => "refused",
            State::Committing => "committing",
            State::Committed => "committed",
            State::Aborting => "aborting",
            State::Aborted => "aborted",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Nothing more happens by itself.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, State::Refused | State::Committed | State::Aborted)
    }
}

/// All that decides how a promise goes on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Keeping {
    /// Where it stands.
    pub state: State,
    /// What was decided.
    pub decision: Option<Verdict>,
    /// An operator decided it, not the coordinator.
    pub heuristic: bool,
    /// What the coordinator said.
    pub told: Option<Verdict>,
    /// Of the step that belongs to the state: how many were refused before it.
    pub attempt: u32,
    /// Fruitless looks since the last progress.
    pub tries: u32,
}

/// A step in our books.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Reserve on clearing, promise to the beneficiary.
    Prepare,
    /// Post it.
    Commit,
    /// Give it up.
    Abort,
}

impl Step {
    /// The word that is part of the step's key in the books. It never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Step::Prepare => "prepare",
            Step::Commit => "commit",
            Step::Abort => "abort",
        }
    }
}

/// What is to be done in a state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Submit this step to our books, under the key of its attempt.
    Post(Step),
    /// Once the deadline is past: ask the coordinator what it decided.
    Ask,
    /// Nothing.
    Rest,
}

/// What was seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Observation {
    /// A step is in our books.
    Posted(Step),
    /// Our books refused a step and recorded the refusal.
    Refused {
        /// The step.
        step: Step,
        /// Under which attempt.
        attempt: u32,
    },
    /// The coordinator decided.
    Told(Verdict),
    /// An operator decided, without the coordinator.
    Operator(Verdict),
    /// The coordinator was asked and has not decided.
    Undecided,
    /// The coordinator was asked and does not know of it.
    NotKnown,
    /// The coordinator was asked and nothing was heard that can be believed.
    Silence,
}

impl Observation {
    /// One word for the timeline.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Observation::Posted(_) => "posted",
            Observation::Refused { .. } => "refused",
            Observation::Told(Verdict::Commit) => "told_commit",
            Observation::Told(Verdict::Abort) => "told_abort",
            Observation::Operator(Verdict::Commit) => "operator_commit",
            Observation::Operator(Verdict::Abort) => "operator_abort",
            Observation::Undecided => "undecided",
            Observation::NotKnown => "not_found",
            Observation::Silence => "silence",
        }
    }
}

/// Why a person is needed, or should know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// No decision after all that was asked.
    InDoubt,
    /// The coordinator does not know of it.
    NotKnown,
    /// The coordinator decided otherwise than our operator.
    Heuristic,
    /// The coordinator contradicted itself, or decided what was never prepared.
    Contradiction,
    /// Our books refuse a decision again and again.
    StepRefused,
}

/// What an observation makes of a promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// The promise from now on.
    pub keeping: Keeping,
    /// A case to be opened.
    pub trouble: Option<Trouble>,
}

impl Keeping {
    /// A promise as it begins.
    pub const NEW: Keeping = Keeping {
        state: State::Preparing,
        decision: None,
        heuristic: false,
        told: None,
        attempt: 0,
        tries: 0,
    };

    /// What an abort leaves that comes before the prepare: whatever comes later is refused.
    pub const NEVER: Keeping = Keeping {
        state: State::Aborted,
        decision: Some(Verdict::Abort),
        told: Some(Verdict::Abort),
        ..Keeping::NEW
    };

    /// What is to be done now.
    #[must_use]
    pub fn act(&self) -> Act {
        match self.state {
            State::Preparing => Act::Post(Step::Prepare),
            State::Prepared => Act::Ask,
            State::Committing => Act::Post(Step::Commit),
            State::Aborting => Act::Post(Step::Abort),
            State::Refused | State::Committed | State::Aborted => Act::Rest,
        }
    }

    /// What the coordinator is answered; nothing while our books have not done what is to be told.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        // Where both agree, nobody has to know who was first.
        let alone = self.heuristic && self.told != self.decision;
        match self.state {
            State::Preparing | State::Committing | State::Aborting => None,
            State::Prepared => Some(Standing::Prepared),
            State::Refused if self.told == Some(Verdict::Abort) => Some(Standing::Aborted),
            State::Refused => Some(Standing::Refused),
            State::Committed if alone => Some(Standing::HeuristicCommitted),
            State::Committed => Some(Standing::Committed),
            State::Aborted if alone => Some(Standing::HeuristicAborted),
            State::Aborted => Some(Standing::Aborted),
        }
    }
}

/// What `saw` makes of a promise. After `tries_max` fruitless tries there is a case; it goes on nevertheless.
///
/// An observation that does not belong to the state changes nothing: it is old, or said twice.
#[must_use]
pub fn next(before: &Keeping, saw: Observation, tries_max: u32) -> Next {
    match saw {
        Observation::Posted(step) if before.act() == Act::Post(step) => moved(match step {
            Step::Prepare if before.decision == Some(Verdict::Abort) => at(before, State::Aborting),
            Step::Prepare => at(before, State::Prepared),
            Step::Commit => at(before, State::Committed),
            Step::Abort => at(before, State::Aborted),
        }),
        Observation::Refused { step, attempt }
            if before.act() == Act::Post(step) && before.attempt == attempt =>
        {
            match step {
                Step::Prepare => moved(at(before, State::Refused)),
                _ => {
                    let again = Keeping { attempt: before.attempt + 1, ..*before };
                    in_vain(&again, tries_max, Trouble::StepRefused)
                }
            }
        }
        Observation::Told(verdict) => told(before, verdict),
        Observation::Operator(verdict) if before.state == State::Prepared => {
            moved(Keeping { heuristic: true, ..decided(before, verdict) })
        }
        Observation::Undecided | Observation::Silence if before.state == State::Prepared => {
            in_vain(before, tries_max, Trouble::InDoubt)
        }
        Observation::NotKnown if before.state == State::Prepared => {
            Next { trouble: Some(Trouble::NotKnown), ..in_vain(before, tries_max, Trouble::NotKnown) }
        }
        _ => moved(*before),
    }
}

fn told(before: &Keeping, verdict: Verdict) -> Next {
    match (before.state, verdict) {
        (State::Prepared, _) => moved(Keeping { told: Some(verdict), ..decided(before, verdict) }),
        // Whether our books have promised anything is not known yet: first that, then the abort.
        (State::Preparing, Verdict::Abort) => {
            moved(Keeping { decision: Some(Verdict::Abort), told: Some(Verdict::Abort), ..*before })
        }
        (State::Refused, Verdict::Abort) => moved(Keeping { told: Some(Verdict::Abort), ..*before }),
        (State::Preparing | State::Refused, Verdict::Commit) => trouble(before, Trouble::Contradiction),
        _ if before.told == Some(verdict) => moved(*before),
        _ if before.decision == Some(verdict) => moved(Keeping { told: Some(verdict), ..*before }),
        _ if before.heuristic && before.told.is_none() => {
            let keeping = Keeping { told: Some(verdict), ..*before };
            Next { keeping, trouble: Some(Trouble::Heuristic) }
        }
        _ => trouble(before, Trouble::Contradiction),
    }
}

fn decided(before: &Keeping, verdict: Verdict) -> Keeping {
    let state = match verdict {
        Verdict::Commit => State::Committing,
        Verdict::Abort => State::Aborting,
    };
    Keeping { decision: Some(verdict), ..at(before, state) }
}

fn at(before: &Keeping, state: State) -> Keeping {
    Keeping { state, attempt: 0, tries: 0, ..*before }
}

fn moved(keeping: Keeping) -> Next {
    Next { keeping, trouble: None }
}

fn trouble(before: &Keeping, trouble: Trouble) -> Next {
    Next { keeping: *before, trouble: Some(trouble) }
}

fn in_vain(before: &Keeping, tries_max: u32, trouble: Trouble) -> Next {
    let tries = before.tries.saturating_add(1);
    Next { keeping: Keeping { tries, ..*before }, trouble: (tries == tries_max).then_some(trouble) }
}
