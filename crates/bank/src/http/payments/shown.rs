//! A payment as the interface shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::{money, time};
use crate::payments::payment::Payment;
use crate::payments::rail::Party;
use crate::payments::transition::Transition;
use crate::payments::two_phase::{Mode, Verdict, coordinator};

/// A payment to another institution.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(in crate::http) struct Shown {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    pub(super) id: String,
    /// created, refused, funded, submitted, accepted, unknown, cancel_requested, settling, settled, rejected,
    /// cancelled, reversed, suspending or suspended. Ends: refused, settled, reversed, suspended.
    #[schema(example = "settled")]
    state: &'static str,
    /// saga or two_phase.
    #[schema(example = "saga")]
    mode: &'static str,
    /// Of two_phase: commit or abort, once it is decided for both banks.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    /// A person has to decide: see the cases.
    held: bool,
    /// It should have been settled by now.
    late: bool,
    /// Over which rail.
    #[schema(example = "partner")]
    rail: String,
    /// The payment's own reference: the key on the other side.
    #[schema(example = "019aa3f07c007abc8def0123456789ab")]
    rail_reference: String,
    /// Who pays.
    #[schema(example = "101")]
    from_account_id: String,
    /// How much.
    #[schema(example = "2000.00")]
    amount: String,
    /// The currency.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// Who is paid.
    beneficiary: Party,
    /// The caller's business name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Free text for the statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// When it was asked for.
    created_at: String,
    /// When it changed last.
    changed_at: String,
    /// It came after the rail's cut-off and waits for its next window.
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_until: Option<String>,
    /// By when it should be settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_settlement: Option<String>,
    /// The transaction that debited the customer; in two phases the hold that reserved the money.
    #[serde(skip_serializing_if = "Option::is_none")]
    funding_id: Option<String>,
    /// The transaction that cleared it once the rail had paid; in two phases the one that debited the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement_id: Option<String>,
    /// The transaction that gave the money back; in two phases the event that gave the hold up.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal_id: Option<String>,
    /// The transaction that put the money into suspense.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspense_id: Option<String>,
    /// All that happened to it, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeline: Option<Vec<Line>>,
}

/// One line of a payment's timeline.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PaymentTransition)]
pub(in crate::http) struct Line {
    /// When.
    at: String,
    /// The state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    /// The state since.
    #[schema(example = "funded")]
    to: &'static str,
    /// What was seen.
    #[schema(example = "posted")]
    observed: String,
    /// Who.
    #[schema(example = "internal:payments")]
    actor: String,
    /// How many of our own steps in this state were refused before.
    attempt: u32,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The transaction, or the recorded refusal, in the books.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<String>,
}

impl Shown {
    /// A payment as it stands at a moment.
    pub(in crate::http) fn of(payment: &Payment, now_us: i64) -> Shown {
        let id = |sequence: Option<ledger::Sequence>| sequence.map(|sequence| sequence.to_string());
        let decision = match payment.mode {
            Mode::Saga => None,
            Mode::TwoPhase => coordinator::decision(payment.saga.state),
        };
        Shown {
            id: payment.id.to_string(),
            state: payment.saga.state.name(),
            mode: payment.mode.name(),
            decision: decision.map(Verdict::name),
            held: payment.saga.held,
            late: payment.is_late(now_us),
            rail: payment.rail.clone(),
            rail_reference: payment.reference.clone(),
            from_account_id: payment.account.to_string(),
            amount: money(payment.amount, payment.currency),
            currency: payment.currency.code(),
            beneficiary: payment.beneficiary.clone(),
            reference: payment.client_reference.clone(),
            description: payment.description.clone(),
            created_at: time(payment.created_at),
            changed_at: time(payment.changed_at),
            queued_until: payment.queued_until.map(time),
            expected_settlement: payment.expected_at.map(time),
            funding_id: id(payment.transactions.funding),
            settlement_id: id(payment.transactions.settlement),
            reversal_id: id(payment.transactions.reversal),
            suspense_id: id(payment.transactions.suspense),
            timeline: None,
        }
    }
}

impl From<Transition> for Line {
    fn from(line: Transition) -> Line {
        Line {
            at: time(line.at),
            from: line.from.map(crate::payments::saga::State::name),
            to: line.to.name(),
            observed: line.observed,
            actor: line.actor,
            attempt: line.attempt,
            reason: line.reason,
            transaction_id: line.transaction.map(|sequence| sequence.to_string()),
        }
    }
}
