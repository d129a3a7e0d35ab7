//! What the other bank asks of us. Whatever is answered is durable before it is answered.

use ledger::{Currency, Digest, money};
use serde_json::json;
use uuid::Uuid;

use super::mark::{self, Line, Seen};
use super::participant::{Keeping, Observation, State};
use super::promise::{Content, Promise};
use super::wire::{Question, Reply};
use super::{Mode, Standing, Verdict, coordinator};
use crate::database::Actor;
use crate::payments::answered::{Answered, NOBODY, NOT_CARRIED, reason};
use crate::payments::rail::settings::{RailSettings, bounds};
use crate::payments::rows::{Connection, next_number};
use crate::payments::{PaymentError, Payments, case, new_id, now};

/// What became of an operator's decision.
#[derive(Debug)]
pub enum Decision {
    /// It counts.
    Done(Box<Promise>),
    /// The promise is not in doubt.
    NotNow(Box<Promise>),
}

impl Payments {
    /// Answers a question of the bank at the other end of a rail.
    ///
    /// # Errors
    /// [`PaymentError`]; it is asked again.
    pub async fn asked(
        &self,
        rail: &RailSettings,
        question: &Question,
    ) -> Result<Answered<Reply>, PaymentError> {
        if rail.prepare_within_us.is_none() {
            return Ok(Answered::NotAPeer);
        }
        let reference = question.reference();
        // Both banks sign with the same key: one of our own questions that is sent back to us must not count as
        // the other one's. Its reference is ours.
        let ours = match question {
            Question::Decision { .. } => self.promise_by_reference(&rail.name, reference).await?.is_some(),
            _ => self.payment_by_reference(&rail.name, reference).await?.is_some(),
        };
        if ours {
            return Ok(Answered::Reflected);
        }
        match question {
            Question::Decision { .. } => {
                let payment = self.payment_by_reference(&rail.name, reference).await?;
                let payment = payment.filter(|payment| payment.mode == Mode::TwoPhase);
                let standing = payment.map_or(Standing::NotFound, |payment| {
                    match coordinator::decision(payment.saga.state) {
                        None => Standing::Undecided,
                        // Our own books first: from them alone the decision can be known again.
                        Some(Verdict::Commit) if !payment.saga.booked => Standing::Undecided,
                        Some(Verdict::Commit) => Standing::Committed,
                        Some(Verdict::Abort) => Standing::Aborted,
                    }
                });
                Ok(reply(reference, standing, None))
            }
            Question::Status { .. } => match self.promise_by_reference(&rail.name, reference).await? {
                Some(promise) => self.standing(promise.id).await,
                None => Ok(reply(reference, Standing::NotFound, None)),
            },
            Question::Prepare { .. } => self.prepare(rail, question).await,
            Question::Commit { .. } => self.decided(rail, reference, Verdict::Commit).await,
            Question::Abort { .. } => self.decided(rail, reference, Verdict::Abort).await,
        }
    }

    /// Where a promise stands, once our books have done what they have to.
    async fn standing(&self, id: Uuid) -> Result<Answered<Reply>, PaymentError> {
        self.keep(id).await?;
        let promise = self.promise(id).await?.expect("promises are never deleted");
        let standing = promise.keeping.standing();
        Ok(standing.map_or(Answered::NotYet, |standing| {
            reply(&promise.reference, standing, promise.code.filter(|_| standing == Standing::Refused))
        }))
    }

    async fn prepare(
        &self,
        rail: &RailSettings,
        question: &Question,
    ) -> Result<Answered<Reply>, PaymentError> {
        let Question::Prepare {
            reference,
            amount,
            currency,
            debtor,
            beneficiary,
            description,
            decides_within_ms,
        } = question
        else {
            unreachable!("called for prepares only")
        };
        let lane = Currency::from_code(currency).and_then(|currency| rail.lane(currency));
        let Some(lane) = lane else {
            // Not written down, since it is about no money of ours: if the rail carries it later and the question
            // comes once more, the coordinator says that it has given up.
            return Ok(reply(reference, Standing::Refused, Some(NOT_CARRIED.into())));
        };
        let minor = match money::parse_positive(amount, lane.currency) {
            Ok(minor) => minor,
            Err(error) => return Ok(Answered::Amount(error)),
        };
        let content = Content {
            fingerprint: fingerprint(lane.currency, minor, &debtor.account, &beneficiary.account),
            amount: minor,
            currency: lane.currency,
            clearing: lane.clearing,
            account: self.beneficiary(beneficiary, lane).await?,
            debtor: debtor.clone(),
            beneficiary: beneficiary.clone(),
            description: description.clone(),
        };
        let deadline = deadline(now(), *decides_within_ms);
        let keeping = match content.account {
            Some(_) => Keeping::NEW,
            None => Keeping { state: State::Refused, ..Keeping::NEW },
        };
        match self.begin(rail, reference, Some(&content), keeping, deadline).await? {
            Begun::New(id) => self.standing(id).await,
            Begun::Known(known) => match &known.content {
                Some(first) if !first.is(&content) => self.reused(rail, &known, question, &content).await,
                _ => self.standing(known.id).await,
            },
        }
    }

    async fn decided(
        &self,
        rail: &RailSettings,
        reference: &str,
        verdict: Verdict,
    ) -> Result<Answered<Reply>, PaymentError> {
        let known = match (self.promise_by_reference(&rail.name, reference).await?, verdict) {
            (Some(known), _) => known,
            (None, Verdict::Commit) => return Ok(reply(reference, Standing::NotFound, None)),
            // Whatever comes later under this reference is too late.
            (None, Verdict::Abort) => match self.begin(rail, reference, None, Keeping::NEVER, now()).await? {
                Begun::New(id) => return self.standing(id).await,
                Begun::Known(known) => *known,
            },
        };
        let by = Actor::new(&format!("rail:{}", rail.name), "two-phase");
        let seen = Seen { by: &by, reason: None, event: None, code: None };
        self.mark(known.id, Observation::Told(verdict), &seen).await?;
        self.standing(known.id).await
    }

    /// Writes a promise down, unless there is one under this reference.
    async fn begin(
        &self,
        rail: &RailSettings,
        reference: &str,
        content: Option<&Content>,
        keeping: Keeping,
        deadline: i64,
    ) -> Result<Begun, PaymentError> {
        if let Some(known) = self.promise_by_reference(&rail.name, reference).await? {
            return Ok(Begun::Known(Box::new(known)));
        }
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Actor::new(&format!("rail:{}", rail.name), "two-phase"));
        let id = new_id(at)?;
        let mut change = self.database.begin(&by, at).await?;
        let known: Option<i64> =
            sqlx::query_scalar("SELECT number FROM promises WHERE rail = ? AND reference = ?")
                .bind(rail.name.as_str())
                .bind(reference)
                .fetch_optional(change.connection())
                .await
                .map_err(fault)?;
        if known.is_some() {
            drop(change);
            let known = self.promise_by_reference(&rail.name, reference).await?;
            return Ok(Begun::Known(Box::new(known.expect("promises are never deleted"))));
        }
        let number = next_number(change.connection(), "promises").await.map_err(fault)?;
        let refused = keeping.state == State::Refused;
        let promise = Promise {
            id,
            number,
            rail: rail.name.clone(),
            reference: reference.to_owned(),
            content: content.cloned(),
            keeping,
            decided: None,
            code: refused.then(|| NOBODY.to_owned()),
            version: 1,
            deadline,
            // Whoever asks has it done at once; this is for when that was not possible.
            due_at: (!keeping.state.is_end()).then_some(at + AT_ONCE_US),
            created_at: at,
            changed_at: at,
            hold: None,
            end: None,
        };
        insert(change.connection(), &promise, &by).await.map_err(fault)?;
        let saw = if content.is_some() { "asked" } else { "told_abort" };
        let seen = Seen { by: &by, reason: promise.code.as_deref(), event: None, code: None };
        let line = Line { promise: &promise, from: None, saw, seen: &seen, at };
        mark::write(change.connection(), line).await.map_err(fault)?;
        change.commit().await?;
        Ok(Begun::New(id))
    }

    async fn reused(
        &self,
        rail: &RailSettings,
        known: &Promise,
        question: &Question,
        content: &Content,
    ) -> Result<Answered<Reply>, PaymentError> {
        let (at, by) = (now(), Actor::new(&format!("rail:{}", rail.name), "two-phase"));
        let mut change = self.database.begin(&by, at).await?;
        let new = case::New {
            id: new_id(at)?,
            kind: case::Kind::ReferenceReused,
            payment: None,
            incoming: None,
            promise: Some(known.id),
            rail: &rail.name,
            at_risk: content.amount,
            currency: content.currency,
            evidence: json!({"reference": known.reference, "question": question}),
            reason: Some("the reference was used for another payment"),
        };
        let opened = case::open(change.connection(), new, &by, at).await;
        if opened.map_err(|error| self.database.fault(error))? {
            change.commit().await?;
        }
        Ok(Answered::ReferenceReused)
    }

    /// Decides about a promise in doubt, without the coordinator, with a reason that stays for ever.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub async fn decide_promise(
        &self,
        id: Uuid,
        verdict: Verdict,
        by: &Actor,
        reason: &str,
    ) -> Result<Option<Decision>, PaymentError> {
        let seen = Seen { by, reason: Some(reason), event: None, code: None };
        let Some(marked) = self.mark(id, Observation::Operator(verdict), &seen).await? else {
            return Ok(None);
        };
        if !marked.changed {
            return Ok(Some(Decision::NotNow(Box::new(marked.promise))));
        }
        // It counts from here on; what the books cannot do at once is done later.
        if let Err(error) = self.keep(id).await {
            tracing::warn!(%error, promise = %id, "a decision is posted later");
        }
        let promise = self.promise(id).await?.unwrap_or(marked.promise);
        Ok(Some(Decision::Done(Box::new(promise))))
    }
}

/// How long the driver leaves a promise to whoever asked for it, µs.
const AT_ONCE_US: i64 = 1_000_000;

enum Begun {
    New(Uuid),
    Known(Box<Promise>),
}

fn reply(reference: &str, standing: Standing, code: Option<String>) -> Answered<Reply> {
    let reason = code.as_deref().map(|code| reason(code).to_owned());
    Answered::Reply(Reply { reference: reference.to_owned(), status: standing.into(), code, reason })
}

/// What makes a payment what it is: a prepare that comes again has the same.
fn fingerprint(currency: Currency, minor: i64, debtor: &str, beneficiary: &str) -> Digest {
    let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
    Digest::over(&[
        b"promise",
        &currency.numeric().to_be_bytes(),
        &minor.to_be_bytes(),
        &text(debtor),
        &text(beneficiary),
    ])
}

/// Writes a new promise.
pub(in crate::payments) async fn insert(
    connection: &mut Connection,
    promise: &Promise,
    by: &Actor,
) -> Result<(), sqlx::Error> {
    let content = promise.content.as_ref();
    let decision = promise.keeping.decision;
    sqlx::query(
        "INSERT INTO promises (id, number, rail, reference, fingerprint, amount, currency, clearing_account_id,
             account_id, debtor_name, debtor_account, beneficiary_name, beneficiary_account, description, state,
             decision, heuristic, decided_by, decided_at, told, code, attempt, tries, version, deadline, due_at,
             created_at, changed_at, hold_id, end_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(promise.id.as_bytes().to_vec())
    .bind(promise.number)
    .bind(promise.rail.as_str())
    .bind(promise.reference.as_str())
    .bind(content.map(|content| content.fingerprint.0.to_vec()))
    .bind(content.map(|content| content.amount))
    .bind(content.map(|content| content.currency.code()))
    .bind(content.map(|content| content.clearing.0.cast_signed()))
    .bind(content.and_then(|content| content.account).map(|account| account.0.cast_signed()))
    .bind(content.map(|content| content.debtor.name.as_str()))
    .bind(content.map(|content| content.debtor.account.as_str()))
    .bind(content.map(|content| content.beneficiary.name.as_str()))
    .bind(content.map(|content| content.beneficiary.account.as_str()))
    .bind(content.and_then(|content| content.description.as_deref()))
    .bind(promise.keeping.state.name())
    .bind(decision.map(Verdict::name))
    .bind(0i64)
    .bind(decision.map(|_| &*by.name))
    .bind(decision.map(|_| promise.created_at))
    .bind(promise.keeping.told.map(Verdict::name))
    .bind(promise.code.as_deref())
    .bind(0i64)
    .bind(0i64)
    .bind(promise.version)
    .bind(promise.deadline)
    .bind(promise.due_at)
    .bind(promise.created_at)
    .bind(promise.changed_at)
    .bind(promise.hold.map(|sequence| sequence.0.cast_signed()))
    .bind(promise.end.map(|sequence| sequence.0.cast_signed()))
    .execute(connection)
    .await
    .map(drop)
}

/// When a promise that was asked for at `now_us` begins to ask its coordinator, microseconds since 1970. The time that a
/// coordinator wishes for is heard within the bounds that our own setting has.
fn deadline(now_us: i64, decides_within_ms: i64) -> i64 {
    let within = bounds::PREPARE_WITHIN_MS;
    now_us + decides_within_ms.clamp(within.least, within.most) * 1_000
}

#[cfg(test)]
mod tests {
    use super::deadline;

    #[test]
    fn a_coordinator_is_heard_from_fifty_milliseconds_up_to_an_hour() {
        const HOUR_MS: i64 = 3_600_000;
        for (wish_ms, heard_ms) in [
            (i64::MIN, 50),
            (49, 50),
            (50, 50),
            (51, 51),
            (HOUR_MS - 1, HOUR_MS - 1),
            (HOUR_MS, HOUR_MS),
            (HOUR_MS + 1, HOUR_MS),
            (i64::MAX, HOUR_MS),
        ] {
            assert_eq!(deadline(7, wish_ms), 7 + heard_ms * 1_000, "{wish_ms} ms");
        }
    }
}
