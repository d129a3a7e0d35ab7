//! An observation made durable: the payment moves on, a line is added to its timeline, cases open and end; all in
//! one db tx, and only from the version that was read.

use ledger::Sequence;
use serde_json::json;
use uuid::Uuid;

use super::payment::{COLUMNS, Payment, read};
use super::rail::settings::RailSettings;
use super::saga::{Next, Observation, Saga, State, Step};
use super::two_phase::Mode;
use super::{PaymentError, Payments, case, new_id, now, pace, transition};
use crate::database::{Actor, Change};

/// Who saw it, and what is known of it.
pub(super) struct Seen<'a> {
    pub(super) by: &'a Actor,
    /// In somebody's words.
    pub(super) reason: Option<&'a str>,
    /// The event in the books.
    pub(super) event: Option<Sequence>,
    /// The case that is resolved by it.
    pub(super) resolves: Option<Uuid>,
}

/// What came of an observation.
pub(super) struct Noted {
    /// The payment since.
    pub(super) payment: Payment,
    /// Something came of it.
    pub(super) changed: bool,
}

impl Payments {
    /// Notes an observation about a payment; none if there is no such payment.
    pub(super) async fn note(
        &self,
        id: Uuid,
        saw: Observation,
        seen: &Seen<'_>,
    ) -> Result<Option<Noted>, PaymentError> {
        loop {
            let Some(payment) = self.payment(id).await? else { return Ok(None) };
            let Some(rail) = self.rail(&payment.rail).await? else { return Ok(None) };
            let to = payment.next(saw, rail.tries_max);
            if to.is_nothing(&payment.saga) {
                return Ok(Some(Noted { payment, changed: false }));
            }
            if let Some(noted) = self.write(&payment, &rail, saw, &to, seen).await? {
                return Ok(Some(noted));
            }
            // Somebody else was faster: look again at what it is now.
        }
    }

    async fn write(
        &self,
        payment: &Payment,
        rail: &RailSettings,
        saw: Observation,
        to: &Next,
        seen: &Seen<'_>,
    ) -> Result<Option<Noted>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let at = now();
        let after = moved(payment, rail, saw, to.saga, seen, at);
        let mut change = self.database.begin(seen.by, at).await?;
        if !update(&mut change, &after, payment.version).await.map_err(fault)? {
            return Ok(None);
        }
        let opened = match to.trouble {
            None => false,
            Some(trouble) => {
                let new = case::New {
                    id: new_id(at)?,
                    kind: trouble.into(),
                    payment: Some(payment.id),
                    incoming: None,
                    promise: None,
                    rail: &payment.rail,
                    at_risk: payment.amount,
                    currency: payment.currency,
                    evidence: json!({
                        "state": payment.saga.state.name(), "observed": saw.name(), "reason": seen.reason,
                        "tries": to.saga.tries, "reference": payment.reference,
                    }),
                    reason: seen.reason,
                };
                case::open(change.connection(), new, seen.by, at).await.map_err(fault)?
            }
        };
        if to.saga == payment.saga && !opened {
            // The same contradiction again; it has its case.
            return Ok(Some(Noted { payment: payment.clone(), changed: false }));
        }
        let line = transition::New {
            payment: payment.id,
            version: after.version,
            at,
            by: seen.by,
            from: Some(payment.saga.state),
            to: after.saga.state,
            attempt: after.saga.attempt,
            observed: saw.name(),
            reason: seen.reason,
            transaction: seen.event,
        };
        transition::write(change.connection(), line).await.map_err(fault)?;
        let resolution = match saw {
            Observation::Operator(resolution) => resolution.name(),
            _ => "answered",
        };
        let reason = seen.reason.unwrap_or(saw.name());
        if let Some(case) = seen.resolves {
            case::resolve(change.connection(), case, resolution, reason, seen.by, at).await.map_err(fault)?;
        }
        // A payment in two phases is never held; what its cases waited for is its end.
        let over = payment.mode == Mode::TwoPhase && after.saga.state.is_end();
        if (payment.saga.held && !after.saga.held) || over {
            case::end_hold(change.connection(), payment.id, resolution, reason, seen.by, at)
                .await
                .map_err(fault)?;
        }
        change.commit().await?;
        self.wake.notify_one();
        Ok(Some(Noted { payment: after, changed: true }))
    }
}

/// The payment after a step.
fn moved(
    payment: &Payment,
    rail: &RailSettings,
    saw: Observation,
    saga: Saga,
    seen: &Seen<'_>,
    at: i64,
) -> Payment {
    let mut after = Payment { saga, version: payment.version + 1, changed_at: at, ..payment.clone() };
    match saw {
        Observation::Posted(step) => *after.transactions.of(step) = seen.event,
        Observation::Refused { step: Step::Fund, .. } => after.refusal = seen.event,
        _ => {}
    }
    let (before, state) = (payment.saga.state, saga.state);
    if state != before {
        let opens = rail.next_window(at);
        after.queued_until = (state == State::Funded && opens > at).then_some(opens);
        if state == State::Submitted && before == State::Funded {
            after.expected_at = Some(at.saturating_add(rail.answers_within_us(payment.mode)));
        }
    }
    after.due_at = pace::due(&after, rail, at);
    after
}

pub(super) async fn update(change: &mut Change, after: &Payment, version: i64) -> Result<bool, sqlx::Error> {
    let sequence = |sequence: Option<Sequence>| sequence.map(|sequence| sequence.0.cast_signed());
    let done = sqlx::query(
        "UPDATE payments SET state = ?, attempt = ?, tries = ?, cancel_wanted = ?, held = ?, version = ?, due_at = ?,
                             queued_until = ?, expected_at = ?, changed_at = ?, funding_id = ?, settlement_id = ?,
                             reversal_id = ?, suspense_id = ?, refusal_id = ?
          WHERE id = ? AND version = ?",
    )
    .bind(after.saga.state.name())
    .bind(i64::from(after.saga.attempt))
    .bind(i64::from(after.saga.tries))
    .bind(i64::from(after.saga.cancel))
    .bind(i64::from(after.saga.held))
    .bind(after.version)
    .bind(after.due_at)
    .bind(after.queued_until)
    .bind(after.expected_at)
    .bind(after.changed_at)
    .bind(sequence(after.transactions.funding))
    .bind(sequence(after.transactions.settlement))
    .bind(sequence(after.transactions.reversal))
    .bind(sequence(after.transactions.suspense))
    .bind(sequence(after.refusal))
    .bind(after.id.as_bytes().to_vec())
    .bind(version)
    .execute(change.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

impl Payments {
    /// Payments with something to do before `until_us`, the longest due first.
    pub(super) async fn due(&self, until_us: i64, limit: i64) -> Result<Vec<Payment>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let sql = format!("SELECT {COLUMNS} FROM payments WHERE due_at <= ? ORDER BY due_at LIMIT ?");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(until_us)
            .bind(limit)
            .fetch_all(self.database.pool())
            .await
            .map_err(fault)?;
        Ok(found.iter().map(|row| read(row).map_err(fault)).collect::<Result<_, _>>()?)
    }

    /// Nothing of this rail is to be asked before `until_us`.
    pub(super) async fn postpone(&self, rail: &str, until_us: i64) -> Result<(), PaymentError> {
        let mut change = self.database.begin(&Payments::ourselves(), now()).await?;
        sqlx::query(
            "UPDATE payments SET due_at = ? WHERE rail = ? AND due_at < ? AND held = 0
                AND (state IN ('submitted', 'accepted', 'unknown') OR (mode = 'saga' AND state = 'cancel_requested')
                  OR (mode = 'two_phase' AND ((state = 'settling' AND settlement_id IS NOT NULL)
                    OR (state = 'cancel_requested' AND reversal_id IS NOT NULL))))",
        )
        .bind(until_us)
        .bind(rail)
        .bind(until_us)
        .execute(change.connection())
        .await
        .map_err(|error| self.database.fault(error))?;
        Ok(change.commit().await?)
    }
}
