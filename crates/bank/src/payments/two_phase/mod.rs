//! Two-phase commit with another bankcore: both banks commit a payment, or neither does.
//!
//! ```text
//!      coordinator: the payer's bank                          participant: the beneficiary's bank
//!  created ─► funded ─► submitted ── prepare ───────────────► preparing ─► prepared        (refused)
//!  customer ─► clearing, held               ◄── prepared ───  clearing ─► customer, promised
//!                 │ decided: commit, or abort; durable before anybody is told
//!                 ▼
//!           settling ─ own books ─ commit ──────────────────► committing ─► committed
//!           settled                         ◄── committed ──
//! ```
//! A payment of mode `two_phase` is a row like any other and goes through the same driver; [`coordinator`] is its
//! machine in the place of the saga's. Nothing of it is ever held for a person: what is decided is told until it is
//! acknowledged, and a case is opened when that takes long.
//!
//! What the participant has prepared is a **promise** ([`promise`]): a row of its own, and a prepared hold in the
//! books. No time ends it. Past its deadline the coordinator is asked, in growing intervals, and after some of them
//! a person is told. Only the coordinator decides, or an operator with a reason that stays for ever (a heuristic
//! decision); if the coordinator decided otherwise, both banks have a case, and no money moves by it.
//!
//! | module | noun |
//! |---|---|
//! | `coordinator` | what an observation makes of a payment: pure, model-checked |
//! | `participant` | what an observation makes of a promise: pure, model-checked |
//! | `wire` | the bodies: docs/two-phase.md |
//! | `promise` | a promise, and its row |
//! | `asked` | what the other bank asks of us |
//! | `keep` | does what is due of a promise |
//! | `mark` | an observation of a promise made durable |
//! | `peer` | what we ask of the other bank |

pub mod asked;
pub mod coordinator;
mod keep;
pub(super) mod mark;
#[cfg(test)]
mod model;
pub mod participant;
mod peer;
pub mod promise;
#[cfg(test)]
mod tests;
pub mod wire;

/// How a payment is carried out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Handed over, then settled or given back.
    #[default]
    Saga,
    /// Prepared by both banks, then committed by both or by neither.
    TwoPhase,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 2] = [Mode::Saga, Mode::TwoPhase];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Saga => "saga",
            Mode::TwoPhase => "two_phase",
        }
    }

    /// The mode with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().find(|mode| mode.name() == name)
    }
}

/// What is decided for both sides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Both post it.
    Commit,
    /// Both give it up.
    Abort,
}

impl Verdict {
    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Commit => "commit",
            Verdict::Abort => "abort",
        }
    }

    /// The verdict with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Verdict> {
        [Verdict::Commit, Verdict::Abort].into_iter().find(|verdict| verdict.name() == name)
    }
}

/// Where one side stands, as it tells the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// It is prepared and waits for the decision.
    Prepared,
    /// It will never be prepared.
    Refused,
    /// It is committed, or decided so.
    Committed,
    /// It is aborted, or decided so.
    Aborted,
    /// An operator committed it without the coordinator.
    HeuristicCommitted,
    /// An operator aborted it without the coordinator.
    HeuristicAborted,
    /// The coordinator has not decided yet.
    Undecided,
    /// The reference is not known.
    NotFound,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Standing; 8] = [
        Standing::Prepared,
        Standing::Refused,
        Standing::Committed,
        Standing::Aborted,
        Standing::HeuristicCommitted,
        Standing::HeuristicAborted,
        Standing::Undecided,
        Standing::NotFound,
    ];

    /// The word used on the wire and in the timeline.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Standing::Prepared => "prepared",
            Standing::Refused => "refused",
            Standing::Committed => "committed",
            Standing::Aborted => "aborted",
            Standing::HeuristicCommitted => "heuristic_committed",
            Standing::HeuristicAborted => "heuristic_aborted",
            Standing::Undecided => "undecided",
            Standing::NotFound => "not_found",
        }
    }
}
