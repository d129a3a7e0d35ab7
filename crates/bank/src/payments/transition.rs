//! One line of a payment's timeline: what was seen, by whom, and what it made of the payment.

use ledger::Sequence;
use uuid::Uuid;

use super::Payments;
use super::rows::{self, Connection, int, optional_int, optional_text, text};
use super::saga::State;
use crate::database::{Actor, DatabaseError};

/// One line of the timeline. Written once, never changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Transition {
    /// The version that the payment has since.
    pub version: i64,
    /// When, µs.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: Option<String>,
    /// From which state; none at the creation.
    pub from: Option<State>,
    /// To which.
    pub to: State,
    /// The attempt of the step that belongs to the new state.
    pub attempt: u32,
    /// What was seen, in one word.
    pub observed: String,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// The transaction or the recorded refusal in the books.
    pub transaction: Option<Sequence>,
}

/// A line to be written.
pub(super) struct New<'a> {
    pub(super) payment: Uuid,
    pub(super) version: i64,
    pub(super) at: i64,
    pub(super) by: &'a Actor,
    pub(super) from: Option<State>,
    pub(super) to: State,
    pub(super) attempt: u32,
    pub(super) observed: &'a str,
    pub(super) reason: Option<&'a str>,
    pub(super) transaction: Option<Sequence>,
}

/// Bytes of a reason at most: it may come from the other side.
const REASON_BYTES_MAX: usize = 512;

pub(super) async fn write(connection: &mut Connection, new: New<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO payment_transitions (payment, version, at, actor, origin, from_state, to_state, attempt,
                                          observed, reason, transaction_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(new.payment.as_bytes().to_vec())
    .bind(new.version)
    .bind(new.at)
    .bind(&*new.by.name)
    .bind(&*new.by.origin)
    .bind(new.from.map(State::name))
    .bind(new.to.name())
    .bind(i64::from(new.attempt))
    .bind(new.observed)
    .bind(new.reason.map(short))
    .bind(new.transaction.map(|sequence| sequence.0.cast_signed()))
    .execute(connection)
    .await
    .map(drop)
}

/// What fits, on one line.
pub(super) fn short(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    while line.len() > REASON_BYTES_MAX {
        line.pop();
    }
    line
}

impl Payments {
    /// A payment's timeline, oldest first.
    ///
    /// # Errors
    /// The bank database.
    pub async fn timeline(&self, payment: Uuid) -> Result<Vec<Transition>, DatabaseError> {
        let fault = |error| self.database.fault(error);
        let found = sqlx::query(
            "SELECT version, at, actor, origin, from_state, to_state, attempt, observed, reason, transaction_id
               FROM payment_transitions WHERE payment = ? ORDER BY version",
        )
        .bind(payment.as_bytes().to_vec())
        .fetch_all(self.database.pool())
        .await
        .map_err(fault)?;
        found.iter().map(|row| read(row).map_err(fault)).collect()
    }
}

fn read(row: &rows::Row) -> Result<Transition, sqlx::Error> {
    let state = |name: String| State::named(&name).ok_or_else(|| rows::strange("state", &name));
    Ok(Transition {
        version: int(row, "version")?,
        at: int(row, "at")?,
        actor: text(row, "actor")?,
        origin: optional_text(row, "origin")?,
        from: optional_text(row, "from_state")?.map(state).transpose()?,
        to: state(text(row, "to_state")?)?,
        attempt: u32::try_from(int(row, "attempt")?).unwrap_or(u32::MAX),
        observed: text(row, "observed")?,
        reason: optional_text(row, "reason")?,
        transaction: optional_int(row, "transaction_id")?.map(|id| Sequence(id.cast_unsigned())),
    })
}
