//! What another bank asks of us in the rail protocol: to credit somebody, where that stands, or never to do it. What is
//! answered is durable, and what is answered for good never changes.

use ledger::{Body, Currency, money};

use super::State;
use super::arrival::{Arrival, Entry, Written, find, id_of, is_cancelled};
use super::credit::CREDIT;
use crate::database::Actor;
use crate::payments::answered::{Answered, NOBODY, NOT_CARRIED, code_of, reason};
use crate::payments::ledger_step::key;
use crate::payments::rail::settings::RailSettings;
use crate::payments::rail::wire::{Question, Reply, Status};
use crate::payments::{PaymentError, Payments, now};

impl Payments {
    /// Answers a question of the institution at the other end of a rail.
    ///
    /// # Errors
    /// [`PaymentError`]; it is asked again.
    pub async fn answer(
        &self,
        rail: &RailSettings,
        question: &Question,
    ) -> Result<Answered<Reply>, PaymentError> {
        let reference = question.reference();
        // Both sides sign with the same key: a question of our own that is sent back carries a reference of ours.
        if self.payment_by_reference(&rail.name, reference).await?.is_some() {
            return Ok(Answered::Reflected);
        }
        match question.clone() {
            Question::Submit { reference, amount, currency, debtor, beneficiary, description } => {
                let arrival = Arrival { reference, amount, currency, debtor, beneficiary, description };
                self.submitted(rail, &arrival).await
            }
            Question::Enquire { reference } => self.stands(rail, &reference).await,
            Question::Cancel { reference } => self.call_off(rail, &reference).await,
        }
    }

    async fn submitted(
        &self,
        rail: &RailSettings,
        arrival: &Arrival,
    ) -> Result<Answered<Reply>, PaymentError> {
        let Some(currency) = Currency::from_code(&arrival.currency) else {
            return Ok(Answered::UnknownCurrency);
        };
        let minor = match money::parse_positive(&arrival.amount, currency) {
            Ok(minor) => minor,
            Err(error) => return Ok(Answered::Amount(error)),
        };
        let (account, code) = match rail.lane(currency) {
            None => (None, Some(NOT_CARRIED)),
            Some(lane) => match self.beneficiary(&arrival.beneficiary, lane).await? {
                None => (None, Some(NOBODY)),
                account => (account, None),
            },
        };
        let entry = Entry { minor, currency, account, asked: true, code };
        match self.write_down(rail, arrival, &entry).await? {
            Written::Reused => Ok(Answered::ReferenceReused),
            Written::New | Written::Known | Written::Cancelled => self.stands(rail, &arrival.reference).await,
        }
    }

    /// Where a reference stands, once our books have done what they have to.
    async fn stands(&self, rail: &RailSettings, reference: &str) -> Result<Answered<Reply>, PaymentError> {
        let Some(incoming) = self.incoming(&rail.name, reference).await? else {
            if let Some(known) = self.booked(&rail.name, reference).await? {
                return Ok(known);
            }
            let fault = |error| self.database.fault(error);
            let mut connection = self.database.pool().acquire().await.map_err(fault)?;
            let cancelled = is_cancelled(&mut connection, &rail.name, reference).await.map_err(fault)?;
            let status = if cancelled { Status::Cancelled } else { Status::NotFound };
            return Ok(reply(reference, status, None));
        };
        if incoming.state == State::Received {
            self.go_on(incoming).await?;
        }
        let incoming = self.incoming(&rail.name, reference).await?.expect("they are never deleted");
        Ok(match incoming.state {
            State::Credited => reply(reference, Status::Settled, None),
            State::Refused => reply(reference, Status::Rejected, incoming.code),
            // Whoever asks again soon knows it soon.
            State::Received => Answered::NotYet,
            // A notice told of it: the money is here, and not with the beneficiary.
            State::ToSuspense | State::Suspended => reply(reference, Status::Accepted, None),
        })
    }

    /// What the books know of a reference that has no row any more: the bank database is older than they are.
    async fn booked(&self, rail: &str, reference: &str) -> Result<Option<Answered<Reply>>, PaymentError> {
        let Some(claimed) = self.books.claim(key(id_of(rail, reference), CREDIT, 0)).await? else {
            return Ok(None);
        };
        let event = self.books.reads().event(claimed.sequence)?;
        Ok(event.map(|event| match event.body {
            Body::Refused(refusal) => {
                reply(reference, Status::Rejected, Some(code_of(refusal.code.name()).to_owned()))
            }
            _ => reply(reference, Status::Settled, None),
        }))
    }

    /// Takes care that it is never credited; what has come already is finished instead.
    async fn call_off(&self, rail: &RailSettings, reference: &str) -> Result<Answered<Reply>, PaymentError> {
        if let Some(known) = self.booked(&rail.name, reference).await? {
            return Ok(known);
        }
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Actor::new(&format!("rail:{}", rail.name), "submission"));
        let mut change = self.database.begin(&by, at).await?;
        let known = find(change.connection(), &rail.name, reference).await.map_err(fault)?.is_some()
            || is_cancelled(change.connection(), &rail.name, reference).await.map_err(fault)?;
        if known {
            // Given back first: the question needs a connection of its own.
            drop(change);
            return self.stands(rail, reference).await;
        }
        sqlx::query("INSERT INTO incoming_cancels (rail, reference, cancelled_at) VALUES (?, ?, ?)")
            .bind(rail.name.as_str())
            .bind(reference)
            .bind(at)
            .execute(change.connection())
            .await
            .map_err(fault)?;
        change.commit().await?;
        Ok(reply(reference, Status::Cancelled, None))
    }
}

fn reply(reference: &str, status: Status, code: Option<String>) -> Answered<Reply> {
    let reason = code.as_deref().map(|code| reason(code).to_owned());
    Answered::Reply(Reply { reference: reference.to_owned(), status, code, reason })
}
