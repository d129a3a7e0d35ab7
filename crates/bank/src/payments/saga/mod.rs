//! The saga of a payment: what state it is in, what is to be done there, and what an observation makes of it.
//!
//! ```text
//!  created ─► funded ─► submitted ─► accepted ─┐
//!     │          │         │  ▲         │      ├─► settling ─► settled
//!     ▼          │         ▼  │         ▼      │
//!  refused       │       unknown ◄──────┘      ├─► rejected ──┐
//!                │         │                   │              ├─► reversed
//!                │         ▼                   │              │
//!                │   cancel_requested ─────────┴─► cancelled ─┤
//!                └────────────────────────────────────▲       └─► suspending ─► suspended
//! ```
//! Pure: no clock, no I/O. [`next`] is given what was seen and says what the saga is from then on; what is to be
//! done follows from the saga alone ([`Saga::act`]), so a restart goes on where the last durable state stands, and
//! doing an act again does no harm: the rail knows the payment by its one reference, the books a step by its key.
//!
//! What the rules are:
//! - Silence is never a failure. The rail is asked about the reference until it says something or a case is opened.
//! - "Not found" is no rejection: the submission may still be under way. The payment is sent again under the same
//!   reference, or cancelled durably there.
//! - Only a definite rejection or a confirmed cancel leads to a reversal.
//! - The number of the attempt is raised by a recorded refusal of our own step, never by an unknown outcome.
//! - What a rail has once said for good stands; another word later opens a case.
//! - A saga that is **held** is a person's: nothing is sent or posted by itself. A late answer still counts, and
//!   ends the hold.

#[cfg(test)]
mod model;
mod next;
#[cfg(test)]
mod tests;

pub use next::next;

use super::two_phase::Standing;

/// Where a payment stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Durable; whether the customer was debited is being decided.
    Created,
    /// The books refused to debit the customer. Nothing moved. An end.
    Refused,
    /// Customer debited, clearing account credited; not handed to the rail yet.
    Funded,
    /// It is being handed to the rail: it may or may not have arrived.
    Submitted,
    /// The rail has it and has not finished it.
    Accepted,
    /// Sent, and nothing heard: the rail is asked.
    Unknown,
    /// The rail is asked never to pay it.
    CancelRequested,
    /// The rail has paid; the clearing account is being cleared.
    Settling,
    /// Paid, and booked so. An end.
    Settled,
    /// The rail will never pay; the customer is being given the money back.
    Rejected,
    /// It was cancelled before the rail paid; the customer is being given the money back.
    Cancelled,
    /// The customer has the money back. An end.
    Reversed,
    /// The customer's account is closed; the money is being put into suspense.
    Suspending,
    /// The money lies in suspense, with a case. An end.
    Suspended,
}

impl State {
    /// Every state.
    pub const ALL: [State; 14] = [
        State::Created,
        State::Refused,
        State::Funded,
        State::Submitted,
        State::Accepted,
        State::Unknown,
        State::CancelRequested,
        State::Settling,
        State::Settled,
        State::Rejected,
        State::Cancelled,
        State::Reversed,
        State::Suspending,
        State::Suspended,
    ];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Refused => "refused",
            State::Funded => "funded",
            State::Submitted => "submitted",
            State::Accepted => "accepted",
            State::Unknown => "unknown",
            State::CancelRequested => "cancel_requested",
            State::Settling => "settling",
            State::Settled => "settled",
            State::Rejected => "rejected",
            State::Cancelled => "cancelled",
            State::Reversed => "reversed",
            State::Suspending => "suspending",
            State::Suspended => "suspended",
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
        matches!(self, State::Refused | State::Settled | State::Reversed | State::Suspended)
    }

    /// The rail has it, or may have it, and nothing definite is known.
    #[must_use]
    pub fn is_out(self) -> bool {
        matches!(self, State::Submitted | State::Accepted | State::Unknown | State::CancelRequested)
    }

    /// The customer's money lies on the clearing account.
    #[must_use]
    pub fn in_clearing(self) -> bool {
        !(self.is_end() || self == State::Created)
    }

    /// The step of our own books that is to be done in this state.
    #[must_use]
    pub fn step(self) -> Option<Step> {
        match self {
            State::Created => Some(Step::Fund),
            State::Settling => Some(Step::Settle),
            State::Rejected | State::Cancelled => Some(Step::Reverse),
            State::Suspending => Some(Step::Suspend),
            _ => None,
        }
    }
}

/// A step of a payment in our own books: one transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// Debit the customer, credit clearing.
    Fund,
    /// Debit clearing, credit the settlement account.
    Settle,
    /// Take the funding back.
    Reverse,
    /// Debit clearing, credit suspense.
    Suspend,
}

impl Step {
    /// The word that is part of the step's key in the books. It never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Step::Fund => "fund",
            Step::Settle => "settle",
            Step::Reverse => "reverse",
            Step::Suspend => "suspend",
        }
    }
}

/// All that decides how a payment goes on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Saga {
    /// Where it stands.
    pub state: State,
    /// Of the step of our own books that belongs to the state: how many were refused before it.
    pub attempt: u32,
    /// Fruitless looks since the last progress.
    pub tries: u32,
    /// Somebody wants it cancelled before it is funded.
    pub cancel: bool,
    /// A person has to decide: nothing is done by itself.
    pub held: bool,
    /// Two-phase only: our own books carry the decision.
    pub booked: bool,
}

impl Saga {
    /// A payment as it begins.
    pub const NEW: Saga = Saga::at(State::Created);

    /// A payment that has just come to a state.
    #[must_use]
    pub const fn at(state: State) -> Saga {
        Saga { state, attempt: 0, tries: 0, cancel: false, held: false, booked: false }
    }

    /// What is to be done now.
    #[must_use]
    pub fn act(&self) -> Act {
        if self.held {
            return Act::Rest;
        }
        if let Some(step) = self.state.step() {
            return Act::Post(step);
        }
        match self.state {
            State::Funded => Act::Await,
            State::Submitted => Act::Send,
            State::Accepted | State::Unknown => Act::Enquire,
            State::CancelRequested => Act::Cancel,
            _ => Act::Rest,
        }
    }
}

/// What is to be done in a state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Act {
    /// Submit this step to our own books, under the key of its attempt.
    Post(Step),
    /// Wait for the rail's window.
    Await,
    /// Hand it to the rail.
    Send,
    /// Ask the rail about it.
    Enquire,
    /// Ask the rail never to pay it.
    Cancel,
    /// Two-phase only: ask the other bank to prepare.
    Prepare,
    /// Two-phase only: tell the other bank what was decided.
    Tell,
    /// Nothing.
    Rest,
}

/// What a rail says about a reference, for good unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answer {
    /// It has it; not final.
    Accepted,
    /// It has paid.
    Settled,
    /// It will never pay.
    Rejected,
    /// It was cancelled there and will never be paid.
    Cancelled,
    /// It does not know it (yet); not final.
    NotFound,
}

impl Answer {
    /// The word used on the wire and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Answer::Accepted => "accepted",
            Answer::Settled => "settled",
            Answer::Rejected => "rejected",
            Answer::Cancelled => "cancelled",
            Answer::NotFound => "not_found",
        }
    }
}

/// Why our own books refused a step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Because {
    /// The customer's account is closed.
    Closed,
    /// The funding was taken back already, by somebody else.
    TakenBack,
    /// Anything else: it may go another time.
    Other,
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
        /// Why.
        because: Because,
    },
    /// The rail's window is open.
    Window,
    /// The rail said something: in an answer or in a notice.
    Rail(Answer),
    /// The rail will not cancel; it is still at it.
    Denied,
    /// The rail was asked and nothing was heard that can be believed.
    Silence,
    /// The customer, or somebody for the customer, wants it cancelled.
    CancelAsked,
    /// A person decided.
    Operator(Resolution),
    /// Two-phase only: where the other bank's side stands.
    Peer(Standing),
    /// Two-phase only: the other bank did not prepare in time.
    TimeUp,
}

impl Observation {
    /// One word for the timeline.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Observation::Posted(_) => "posted",
            Observation::Refused { .. } => "refused",
            Observation::Window => "window_open",
            Observation::Rail(answer) => answer.name(),
            Observation::Denied => "cancel_denied",
            Observation::Silence => "silence",
            Observation::CancelAsked => "cancel_asked",
            Observation::Operator(resolution) => resolution.name(),
            Observation::Peer(standing) => standing.name(),
            Observation::TimeUp => "time_up",
        }
    }
}

/// What a person can decide about a payment that is held or out.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resolution {
    /// Go on by itself.
    Resume,
    /// Have it cancelled at the rail.
    Cancel,
    /// The rail has paid: it is known from elsewhere.
    Paid,
    /// The rail has not paid and never will: it is known from elsewhere.
    NotPaid,
    /// Do not try to give it back any more: into suspense.
    Suspend,
}

impl Resolution {
    /// Every resolution.
    pub const ALL: [Resolution; 5] =
        [Resolution::Resume, Resolution::Cancel, Resolution::Paid, Resolution::NotPaid, Resolution::Suspend];

    /// The word used in the interface and in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Resolution::Resume => "resume",
            Resolution::Cancel => "cancel",
            Resolution::Paid => "paid",
            Resolution::NotPaid => "not_paid",
            Resolution::Suspend => "suspend",
        }
    }
}

/// Why a person is needed, or should know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Trouble {
    /// Whether the rail pays is not known after all that was asked.
    Unknown,
    /// The rail has it and does not finish it.
    Late,
    /// Our own books refuse a step again and again, or somebody did it by hand.
    StepRefused,
    /// The money lies in suspense: the customer's account is closed.
    InSuspense,
    /// The rail said one thing and then another, or spoke of what it was never given.
    Contradiction,
    /// Two-phase only: an operator of the other bank decided otherwise than we did.
    Heuristic,
}

/// What an observation makes of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Next {
    /// The saga from now on.
    pub saga: Saga,
    /// A case to be opened.
    pub trouble: Option<Trouble>,
}

impl Next {
    /// Nothing came of it.
    #[must_use]
    pub fn is_nothing(&self, before: &Saga) -> bool {
        self.saga == *before && self.trouble.is_none()
    }
}
