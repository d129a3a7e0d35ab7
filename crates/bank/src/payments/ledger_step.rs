//! A step of a payment as a command to the books, under the key of its attempt.
//!
//! Every event of a payment carries its id (`payment` in the note) and its reference, so that what became of the
//! money can be told from the events alone.

use std::sync::Arc;

use ledger::command::{Extent, Movement, Original};
use ledger::{Code, Command, Digest, Entry, Line, NameId, Note, Request, Sequence, Side};
use uuid::Uuid;

use super::payment::Payment;
use super::saga::{Because, Step};
use super::two_phase::Mode;
use super::{PaymentError, Payments};
use crate::books::Decided;

/// The subsystem in the keys of our steps.
const SUBSYSTEM: &str = "payments";

/// What the books made of a step.
pub(super) enum Done {
    /// It is posted.
    Posted(Sequence),
    /// It was refused, and the refusal is recorded under the step's key.
    Refused(Because, Sequence, String),
    /// Neither: it is to be submitted again under the same key.
    NotNow(String),
}

/// The key of a step: no request can name it.
pub(super) fn key(id: Uuid, step: &str, attempt: u32) -> Digest {
    let parts = [&id.as_bytes()[..], step.as_bytes(), &attempt.to_be_bytes()];
    Digest::of_internal_key(SUBSYSTEM, &parts.concat())
}

impl Payments {
    /// Submits a step of a payment.
    pub(super) async fn post(&self, payment: &Payment, step: Step) -> Result<Done, PaymentError> {
        let Some(command) = self.command(payment, step)? else {
            return Ok(Done::NotNow("the funding cannot be read".into()));
        };
        let note = Note {
            reference: Some(payment.reference.as_str().into()),
            description: payment.description.as_deref().map(Into::into),
            on_behalf_of: Some(NameId(payment.principal_id)),
            payment: Some(*payment.id.as_bytes()),
            ..Note::default()
        };
        self.submit(command, note, key(payment.id, step.name(), payment.saga.attempt)).await
    }

    /// Submits a command of ours under a key of ours.
    pub(super) async fn submit(
        &self,
        command: Command,
        note: Note,
        key: Digest,
    ) -> Result<Done, PaymentError> {
        let mut request = Request::new(command, self.principal().await?);
        request.note = Some(Arc::new(note));
        Ok(match self.books.submit(request.with_key(key)).await? {
            Decided::Accepted { event, .. } => Done::Posted(event.sequence),
            Decided::Refused { refusal, event: Some(event), .. } => {
                let because = match refusal.code {
                    Code::AccountClosed => Because::Closed,
                    Code::AlreadyReversed => Because::TakenBack,
                    _ => Because::Other,
                };
                Done::Refused(because, event, format!("{}: {refusal}", refusal.code.name()))
            }
            // Not recorded: the key is unused, and the same key is to be used again.
            Decided::Refused { refusal, .. } => Done::NotNow(refusal.to_string()),
            Decided::Throttled(_) => Done::NotNow("too many of our steps were refused".into()),
            Decided::KeyReused { by } => {
                tracing::error!(event = by.0, "the key of a payment's step was used for something else");
                Done::NotNow(format!("event {by} used the key of this step"))
            }
        })
    }

    fn command(&self, payment: &Payment, step: Step) -> Result<Option<Command>, PaymentError> {
        let Payment { amount, currency, clearing, .. } = *payment;
        if payment.mode == Mode::TwoPhase {
            let hold = payment.transactions.funding;
            let movement = Movement { from: payment.account, to: clearing, amount, currency };
            return Ok(match step {
                Step::Fund => Some(Command::Prepare(movement)),
                Step::Settle => hold.map(|hold| Command::Commit { hold }),
                Step::Reverse => hold.map(|hold| Command::Abort { hold }),
                Step::Suspend => None,
            });
        }
        let movement = |from, to| Command::Transfer(Movement { from, to, amount, currency });
        Ok(Some(match step {
            Step::Fund => movement(payment.account, clearing),
            Step::Suspend => movement(clearing, payment.suspense),
            Step::Settle => {
                let line = |account, side| Line { account, side, amount, currency };
                let lines = [line(clearing, Side::Debit), line(payment.settlement, Side::Credit)];
                Command::Post { lines: Box::new(lines) }
            }
            Step::Reverse => {
                let Some(funding) = payment.transactions.funding else { return Ok(None) };
                let event = self.books.reads().event(funding)?;
                let Some((kind, event)) = event.and_then(|event| Some((event.transaction()?, event))) else {
                    return Ok(None);
                };
                let lines = event.posted().map(Entry::line).collect();
                let original = Original { sequence: funding, kind, lines };
                Command::Reverse { original: Arc::new(original), extent: Extent::Rest }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_a_key_of_its_own_for_each_payment_leg_and_attempt() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let keys = [
            key(one, "fund", 0),
            key(other, "fund", 0),
            key(one, "settle", 0),
            key(one, "reverse", 0),
            key(one, "reverse", 1),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{index}");
        }
        // Books of yesterday are asked under the same keys tomorrow.
        assert_eq!(key(one, "fund", 0).to_string(), "a89316041c280dee898a221f98b00958");
    }
}
