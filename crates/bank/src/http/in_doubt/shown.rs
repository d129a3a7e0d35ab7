//! A promise as the interface shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::{money, time};
use crate::payments::rail::Party;
use crate::payments::two_phase::Verdict;
use crate::payments::two_phase::participant::State;
use crate::payments::two_phase::promise::{self, Promise};

/// What this bank has prepared for another one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Promise)]
pub(in crate::http) struct Shown {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    id: String,
    /// preparing, prepared (in doubt), refused, committing, committed, aborting or aborted. Ends: refused, committed,
    /// aborted.
    #[schema(example = "prepared")]
    state: &'static str,
    /// Over which rail.
    #[schema(example = "sister")]
    rail: String,
    /// The coordinator's reference.
    #[schema(example = "019aa3f07c007abc8def0123456789ab")]
    reference: String,
    /// How much; absent, like all that it is about, if it was aborted before it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2000.00")]
    amount: Option<String>,
    /// Of this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BDT")]
    currency: Option<&'static str>,
    /// Who pays, at the other bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    debtor: Option<Party>,
    /// Who is to be credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    beneficiary: Option<Party>,
    /// The account that is to be credited.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    /// When it was asked for.
    created_at: String,
    /// For how long it has been there, or was until it was decided, seconds.
    age_seconds: i64,
    /// From then on the coordinator is asked.
    deadline: String,
    /// It is prepared, and its deadline is past.
    overdue: bool,
    /// commit or abort, once decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "commit")]
    decision: Option<&'static str>,
    /// An operator decided, not the coordinator.
    heuristic: bool,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// When it was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_at: Option<String>,
    /// Why the operator decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the coordinator said: commit or abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    coordinator_said: Option<&'static str>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "exposure_exhausted")]
    refusal: Option<String>,
    /// The prepared hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_id: Option<String>,
    /// The transaction that credited the beneficiary, or the event that gave the hold up.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
    /// All that happened to it, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeline: Option<Vec<Line>>,
}

/// One line of a promise's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PromiseTransition)]
pub(in crate::http) struct Line {
    /// When.
    at: String,
    /// The state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// The state since.
    #[schema(example = "prepared")]
    to: &'static str,
    /// What was seen.
    #[schema(example = "posted")]
    observed: String,
    /// Who.
    #[schema(example = "rail:sister")]
    actor: String,
    /// How many of our own steps in this state were refused before.
    attempt: u32,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The event in the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
}

impl Shown {
    /// A promise as it stands at a moment.
    pub(super) fn of(promise: Promise, now_us: i64) -> Shown {
        let id = |sequence: Option<ledger::Sequence>| sequence.map(|sequence| sequence.to_string());
        let keeping = promise.keeping;
        let until = match &promise.decided {
            Some(decided) => decided.at,
            None if keeping.state.is_end() => promise.changed_at,
            None => now_us,
        };
        let content = promise.content;
        let (decided_by, decided_at) =
            promise.decided.as_ref().map(|decided| (decided.by.clone(), time(decided.at))).unzip();
        Shown {
            id: promise.id.to_string(),
            state: keeping.state.name(),
            rail: promise.rail,
            reference: promise.reference,
            amount: content.as_ref().map(|content| money(content.amount, content.currency)),
            currency: content.as_ref().map(|content| content.currency.code()),
            debtor: content.as_ref().map(|content| content.debtor.clone()),
            beneficiary: content.as_ref().map(|content| content.beneficiary.clone()),
            account_id: content.as_ref().and_then(|content| content.account).map(|id| id.to_string()),
            created_at: time(promise.created_at),
            age_seconds: (until - promise.created_at).max(0) / 1_000_000,
            deadline: time(promise.deadline),
            overdue: keeping.state == State::Prepared && promise.deadline < now_us,
            decision: keeping.decision.map(Verdict::name),
            heuristic: keeping.heuristic,
            decided_by,
            decided_at,
            reason: promise.decided.and_then(|decided| decided.why),
            coordinator_said: keeping.told.map(Verdict::name),
            refusal: promise.code,
            hold_id: id(promise.hold),
            transaction_id: id(promise.end),
            timeline: None,
        }
    }
}

impl From<promise::Line> for Line {
    fn from(line: promise::Line) -> Line {
        Line {
            at: time(line.at),
            from: line.from.map(State::name),
            to: line.to.name(),
            observed: line.observed,
            actor: line.actor,
            attempt: line.attempt,
            reason: line.reason,
            transaction_id: line.transaction.map(|sequence| sequence.to_string()),
        }
    }
}
