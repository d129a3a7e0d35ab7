//! A payment found in the books: its row made again, or brought forward.

use ledger::{AccountId, Body, Digest, Event, NameId};
use uuid::Uuid;

use super::{BEHIND, LOST, OBSERVED, Recovered, has_row, nobody};
use crate::payments::payment::{self, Payment, Transactions};
use crate::payments::rail::settings::RailSettings;
use crate::payments::rows::next_number;
use crate::payments::saga::{Saga, State, Step};
use crate::payments::two_phase::Mode;
use crate::payments::{PaymentError, Payments, case, note, now, pace, transition};

/// The steps after which nothing is open between the customer and us.
const LAST: [Step; 3] = [Step::Settle, Step::Reverse, Step::Suspend];

impl Payments {
    pub(super) async fn recover_payment(
        &self,
        id: Uuid,
        funding: &Event,
        done: &mut Recovered,
    ) -> Result<(), PaymentError> {
        let mut last = None;
        for step in LAST {
            last = self.posted(id, step.name()).await?.map(|event| (step, event)).or(last);
        }
        let Some(mut known) = self.payment(id).await? else {
            return self.make_again(id, funding, last.as_ref(), done).await;
        };
        let Some((step, event)) = last else { return Ok(()) };
        if known.saga.state.is_end() || known.transactions.of(step).is_some() {
            return Ok(());
        }
        let Some(rail) = self.rail(&known.rail).await? else { return Ok(()) };
        let (at, by) = (now(), Payments::ourselves());
        let mut after = Payment { version: known.version + 1, changed_at: at, ..known.clone() };
        after.transactions.funding = Some(funding.sequence);
        *after.transactions.of(step) = Some(event.sequence);
        (after.saga, after.queued_until) = (stands(known.mode, Some(step)), None);
        after.due_at = pace::due(&after, &rail, at);
        let fault = |error| self.database.fault(error);
        let mut change = self.database.begin(&by, at).await?;
        if !note::update(&mut change, &after, known.version).await.map_err(fault)? {
            // Somebody else works on it: the row is not behind.
            return Ok(());
        }
        let line = transition::New {
            payment: id,
            version: after.version,
            at,
            by: &by,
            from: Some(known.saga.state),
            to: after.saga.state,
            attempt: 0,
            observed: OBSERVED,
            reason: Some(BEHIND),
            transaction: Some(event.sequence),
        };
        transition::write(change.connection(), line).await.map_err(fault)?;
        case::end_hold(change.connection(), id, "answered", BEHIND, &by, at).await.map_err(fault)?;
        change.commit().await?;
        done.moved += 1;
        Ok(())
    }

    async fn make_again(
        &self,
        id: Uuid,
        funding: &Event,
        last: Option<&(Step, Event)>,
        done: &mut Recovered,
    ) -> Result<(), PaymentError> {
        let (rail, clearing) = match self.rail_of(funding).await? {
            Ok(found) => found,
            Err(rails) => return self.nobody_to_ask(id, funding, last.is_some(), rails, done).await,
        };
        let Some(payment) = self.told_by_events(id, funding, last, &rail, clearing).await? else {
            return Ok(());
        };
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Payments::ourselves());
        let mut change = self.database.begin(&by, at).await?;
        if has_row(change.connection(), "payments", id).await.map_err(fault)? {
            return Ok(());
        }
        let number = next_number(change.connection(), "payments").await.map_err(fault)?;
        let payment = Payment { number, ..payment };
        payment::insert(change.connection(), &payment).await.map_err(fault)?;
        let line = transition::New {
            payment: id,
            version: 1,
            at,
            by: &by,
            from: None,
            to: payment.saga.state,
            attempt: 0,
            observed: OBSERVED,
            reason: Some(LOST),
            transaction: Some(last.map_or(funding.sequence, |(_, event)| event.sequence)),
        };
        transition::write(change.connection(), line).await.map_err(fault)?;
        change.commit().await?;
        done.made += 1;
        Ok(())
    }

    /// All that events say of a payment.
    async fn told_by_events(
        &self,
        id: Uuid,
        funding: &Event,
        last: Option<&(Step, Event)>,
        rail: &RailSettings,
        clearing: AccountId,
    ) -> Result<Option<Payment>, PaymentError> {
        let payer = funding.entries.iter().find(|entry| entry.account != clearing);
        let Some(payer) = payer else { return Ok(None) };
        let Some(lane) = rail.lane(payer.currency) else { return Ok(None) };
        let note = funding.note.as_deref();
        let principal = note.and_then(|note| note.on_behalf_of).unwrap_or(NameId(0));
        let name = self.books.names([principal].into()).await?.pop().flatten();
        let mode = match funding.body {
            Body::HoldPlaced { .. } => Mode::TwoPhase,
            _ => Mode::Saga,
        };
        let mut transactions = Transactions { funding: Some(funding.sequence), ..Transactions::default() };
        if let Some((step, event)) = last {
            *transactions.of(*step) = Some(event.sequence);
        }
        let at = now();
        let mut payment = Payment {
            id,
            number: 0,
            rail: rail.name.clone(),
            reference: id.simple().to_string(),
            principal: name.map_or_else(|| "unknown".to_owned(), String::from),
            principal_id: principal.0,
            // The caller's own is lost; this one can be nobody's, since it holds the id.
            key: format!("found-in-books-{}", id.simple()),
            fingerprint: Digest::NONE,
            account: payer.account,
            amount: payer.amount,
            currency: payer.currency,
            clearing,
            settlement: lane.settlement,
            suspense: lane.suspense,
            debtor: self.party(payer.account).await?.unwrap_or_else(nobody),
            beneficiary: nobody(),
            client_reference: None,
            description: note.and_then(|note| note.description.as_deref()).map(str::to_owned),
            mode,
            saga: stands(mode, last.map(|(step, _)| *step)),
            version: 1,
            due_at: None,
            queued_until: None,
            expected_at: Some(at),
            created_at: funding.time,
            changed_at: at,
            transactions,
            refusal: None,
        };
        payment.due_at = pace::due(&payment, rail, at);
        Ok(Some(payment))
    }
}

/// Where a payment stands whose last step is in the books, or only its funding.
fn stands(mode: Mode, last: Option<Step>) -> Saga {
    match (mode, last) {
        (Mode::Saga, None) => Saga::at(State::Unknown),
        (Mode::Saga, Some(Step::Settle)) => Saga::at(State::Settled),
        (_, Some(Step::Suspend)) => Saga::at(State::Suspended),
        (Mode::Saga, Some(_)) => Saga::at(State::Reversed),
        // Not told yet, as far as is known; telling it again does no harm.
        (Mode::TwoPhase, Some(Step::Settle)) => Saga { booked: true, ..Saga::at(State::Settling) },
        (Mode::TwoPhase, Some(_)) => Saga { booked: true, ..Saga::at(State::CancelRequested) },
        // A commit is in the books before it is told. So nobody was told one, and it can be aborted.
        (Mode::TwoPhase, None) => Saga::at(State::CancelRequested),
    }
}
