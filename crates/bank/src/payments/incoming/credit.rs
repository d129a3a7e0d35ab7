//! A step of an incoming payment in the books: the credit, or suspense.

use ledger::{Command, Line, Note, Sequence, Side};
use serde_json::json;

use super::{COLUMNS, Incoming, State, read};
use crate::payments::answered::code_of;
use crate::payments::ledger_step::{Done, key};
use crate::payments::{PaymentError, Payments, case, new_id, now};

/// The word of the credit in its key. It never changes.
pub(super) const CREDIT: &str = "credit";

/// What a step makes of an incoming payment.
struct To {
    state: State,
    attempt: u32,
    event: Option<Sequence>,
    /// Why it is refused.
    code: Option<String>,
    trouble: Option<(case::Kind, String)>,
}

impl To {
    fn state(state: State, event: Option<Sequence>) -> To {
        To { state, attempt: 0, event, code: None, trouble: None }
    }

    /// As it stands, later.
    fn later(incoming: &Incoming) -> To {
        To { attempt: incoming.attempt, ..To::state(incoming.state, None) }
    }
}

impl Payments {
    /// Posts incoming payments that are due.
    pub(in crate::payments) async fn incoming_due(&self, at: i64) -> Result<(), PaymentError> {
        let fault = |error| self.database.fault(error);
        let sql =
            format!("SELECT {COLUMNS} FROM incoming_payments WHERE due_at <= ? ORDER BY due_at LIMIT 64");
        let due = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(at)
            .fetch_all(self.database.pool())
            .await
            .map_err(fault)?;
        for row in due {
            self.go_on(read(&row).map_err(fault)?).await?;
        }
        Ok(())
    }

    /// Takes an incoming payment as far as it goes now.
    pub(super) async fn go_on(&self, mut incoming: Incoming) -> Result<(), PaymentError> {
        while let Some(next) = self.post_incoming(&incoming).await? {
            incoming = next;
        }
        Ok(())
    }

    /// One step; none if it is at an end for now.
    async fn post_incoming(&self, incoming: &Incoming) -> Result<Option<Incoming>, PaymentError> {
        let rail = self.rail(&incoming.rail).await?;
        let Some(lane) = rail.as_ref().and_then(|rail| rail.lane(incoming.currency)) else {
            tracing::warn!(incoming = %incoming.id, "its rail does not carry its currency any more");
            self.moved(incoming, To::later(incoming)).await?;
            return Ok(None);
        };
        let (step, to) = match (incoming.state, incoming.account) {
            (State::Received, Some(account)) => (CREDIT, account),
            (State::Received | State::ToSuspense, _) => ("suspense", lane.suspense),
            (State::Credited | State::Suspended | State::Refused, _) => return Ok(None),
        };
        let Incoming { amount, currency, .. } = *incoming;
        let line = |account, side| Line { account, side, amount, currency };
        let lines = Box::new([line(lane.settlement, Side::Debit), line(to, Side::Credit)]);
        let note = Note {
            reference: Some(incoming.reference.as_str().into()),
            description: incoming.description.as_deref().map(Into::into),
            payment: Some(*incoming.id.as_bytes()),
            ..Note::default()
        };
        let done =
            self.submit(Command::Post { lines }, note, key(incoming.id, step, incoming.attempt)).await?;
        match (done, step) {
            (Done::NotNow(why), _) => {
                tracing::warn!(incoming = %incoming.id, why, "an incoming payment waits");
                self.moved(incoming, To::later(incoming)).await?;
                Ok(None)
            }
            (Done::Posted(event), CREDIT) => {
                self.moved(incoming, To::state(State::Credited, Some(event))).await
            }
            (Done::Posted(event), _) => {
                let trouble = Some((case::Kind::IncomingInSuspense, "nobody could be credited".to_owned()));
                self.moved(incoming, To { trouble, ..To::state(State::Suspended, Some(event)) }).await
            }
            (Done::Refused(_, event, why), CREDIT) => {
                tracing::info!(incoming = %incoming.id, why, "the beneficiary cannot be credited");
                let to = match incoming.asked {
                    true => {
                        To { code: Some(code_of(&why).to_owned()), ..To::state(State::Refused, Some(event)) }
                    }
                    false => To::state(State::ToSuspense, None),
                };
                self.moved(incoming, to).await
            }
            (Done::Refused(_, event, why), _) => {
                let trouble = Some((case::Kind::IncomingRefused, why));
                let attempt = incoming.attempt + 1;
                self.moved(incoming, To { attempt, trouble, ..To::state(State::ToSuspense, Some(event)) })
                    .await?;
                Ok(None)
            }
        }
    }

    async fn moved(&self, before: &Incoming, to: To) -> Result<Option<Incoming>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let (at, by) = (now(), Payments::ourselves());
        let due = match to.state {
            State::Credited | State::Suspended | State::Refused => None,
            // Doubling from a second to some minutes; whoever goes on at once does not look at it.
            State::Received | State::ToSuspense => Some(at + (1_000_000i64 << to.attempt.min(9))),
        };
        let mut change = self.database.begin(&by, at).await?;
        let done = sqlx::query(
            "UPDATE incoming_payments SET state = ?, code = ?, attempt = ?, version = version + 1, due_at = ?,
                                          changed_at = ?, transaction_id = ?
              WHERE id = ? AND version = ?",
        )
        .bind(to.state.name())
        .bind(to.code.as_deref())
        .bind(i64::from(to.attempt))
        .bind(due)
        .bind(at)
        .bind(to.event.map(|sequence| sequence.0.cast_signed()))
        .bind(before.id.as_bytes().to_vec())
        .bind(before.version)
        .execute(change.connection())
        .await
        .map_err(fault)?;
        if done.rows_affected() != 1 {
            // Somebody else did this step, with the same outcome.
            return Ok(None);
        }
        if let Some((kind, why)) = &to.trouble {
            let new = case::New {
                id: new_id(at)?,
                kind: *kind,
                payment: None,
                incoming: Some(before.id),
                promise: None,
                rail: &before.rail,
                at_risk: before.amount,
                currency: before.currency,
                evidence: json!({"reference": before.reference, "state": to.state.name()}),
                reason: Some(why),
            };
            case::open(change.connection(), new, &by, at).await.map_err(fault)?;
        }
        change.commit().await?;
        let version = before.version + 1;
        let To { state, attempt, code, .. } = to;
        Ok(Some(Incoming { state, attempt, code, version, ..before.clone() }))
    }
}
