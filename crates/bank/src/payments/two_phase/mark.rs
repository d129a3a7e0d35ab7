//! An observation of a promise made durable: row, timeline and case in one db tx, and only from the version that was
//! read.

use ledger::Sequence;
use serde_json::json;
use uuid::Uuid;

use super::participant::{Act, Keeping, Next, Observation, Step, Trouble, next};
use super::promise::{Decided, Promise};
use crate::database::{Actor, Change};
use crate::payments::rail::settings::RailSettings;
use crate::payments::rows::Connection;
use crate::payments::transition::short;
use crate::payments::{PaymentError, Payments, case, new_id, now, pace};

/// Who saw it, and what is known of it.
pub(in crate::payments) struct Seen<'a> {
    pub(in crate::payments) by: &'a Actor,
    /// In somebody's words.
    pub(in crate::payments) reason: Option<&'a str>,
    /// The event in the books.
    pub(in crate::payments) event: Option<Sequence>,
    /// The code of a refusal, as the other bank is told.
    pub(in crate::payments) code: Option<&'a str>,
}

/// What came of an observation.
pub(super) struct Marked {
    /// The promise since.
    pub(super) promise: Promise,
    /// Something came of it.
    pub(super) changed: bool,
}

impl From<Trouble> for case::Kind {
    fn from(trouble: Trouble) -> case::Kind {
        match trouble {
            Trouble::InDoubt => case::Kind::InDoubt,
            Trouble::NotKnown => case::Kind::CoordinatorForgot,
            Trouble::Heuristic => case::Kind::Heuristic,
            Trouble::Contradiction => case::Kind::Contradiction,
            Trouble::StepRefused => case::Kind::StepRefused,
        }
    }
}

impl Payments {
    /// Marks what was seen of a promise; none if there is no such promise.
    pub(super) async fn mark(
        &self,
        id: Uuid,
        saw: Observation,
        seen: &Seen<'_>,
    ) -> Result<Option<Marked>, PaymentError> {
        loop {
            let Some(promise) = self.promise(id).await? else { return Ok(None) };
            let Some(rail) = self.rail(&promise.rail).await? else { return Ok(None) };
            let to = next(&promise.keeping, saw, rail.tries_max);
            if to.keeping == promise.keeping && to.trouble.is_none() {
                return Ok(Some(Marked { promise, changed: false }));
            }
            if let Some(marked) = self.write_mark(&promise, &rail, saw, &to, seen).await? {
                return Ok(Some(marked));
            }
            // Somebody else was faster: look again at what it is now.
        }
    }

    async fn write_mark(
        &self,
        promise: &Promise,
        rail: &RailSettings,
        saw: Observation,
        to: &Next,
        seen: &Seen<'_>,
    ) -> Result<Option<Marked>, PaymentError> {
        let fault = |error| self.database.fault(error);
        let at = now();
        let after = moved(promise, rail, saw, to.keeping, seen, at);
        let mut change = self.database.begin(seen.by, at).await?;
        if !update(&mut change, &after, promise.version).await.map_err(fault)? {
            return Ok(None);
        }
        let opened = match to.trouble {
            None => false,
            Some(trouble) => {
                let told = (new_id(at)?, at);
                open(change.connection(), promise, rail, saw, trouble, seen, told).await.map_err(fault)?
            }
        };
        if to.keeping == promise.keeping && !opened {
            // The same contradiction again; it has its case.
            return Ok(Some(Marked { promise: promise.clone(), changed: false }));
        }
        let line = Line { promise: &after, from: Some(promise.keeping), saw: saw.name(), seen, at };
        write(change.connection(), line).await.map_err(fault)?;
        if promise.keeping.decision.is_none() && after.keeping.decision.is_some() {
            let resolution = match saw {
                Observation::Operator(verdict) => verdict.name(),
                _ => "answered",
            };
            let reason = seen.reason.unwrap_or(saw.name());
            case::end_doubt(change.connection(), promise.id, resolution, reason, seen.by, at)
                .await
                .map_err(fault)?;
        }
        change.commit().await?;
        self.wake.notify_one();
        Ok(Some(Marked { promise: after, changed: true }))
    }
}

fn moved(
    promise: &Promise,
    rail: &RailSettings,
    saw: Observation,
    keeping: Keeping,
    seen: &Seen<'_>,
    at: i64,
) -> Promise {
    let mut after = Promise { keeping, version: promise.version + 1, changed_at: at, ..promise.clone() };
    match saw {
        Observation::Posted(Step::Prepare) => after.hold = seen.event,
        Observation::Posted(Step::Commit | Step::Abort) => after.end = seen.event,
        Observation::Refused { step: Step::Prepare, .. } => after.code = seen.code.map(str::to_owned),
        _ => {}
    }
    if promise.keeping.decision.is_none() && keeping.decision.is_some() {
        let (by, why) = (seen.by.name.to_string(), seen.reason.map(short));
        after.decided = Some(Decided { by, at, why });
    }
    after.due_at = due(&after, rail, at);
    after
}

/// When something is to be done next, µs.
fn due(promise: &Promise, rail: &RailSettings, now_us: i64) -> Option<i64> {
    let tries = promise.keeping.tries;
    let again = |first, most| now_us + pace::interval(first, most, tries, promise.id);
    match promise.keeping.act() {
        Act::Rest => None,
        Act::Post(_) if tries == 0 => Some(now_us),
        Act::Post(_) => Some(again(pace::BOOKS_US.0, pace::BOOKS_US.1)),
        Act::Ask if tries == 0 => Some(promise.deadline),
        Act::Ask => Some(again(rail.enquire_after_us, rail.enquire_at_most_us)),
    }
}

async fn update(change: &mut Change, after: &Promise, version: i64) -> Result<bool, sqlx::Error> {
    let sequence = |sequence: Option<Sequence>| sequence.map(|sequence| sequence.0.cast_signed());
    let keeping = &after.keeping;
    let done = sqlx::query(
        "UPDATE promises SET state = ?, decision = ?, heuristic = ?, decided_by = ?, decided_at = ?, decided_why = ?,
                             told = ?, code = ?, attempt = ?, tries = ?, version = ?, due_at = ?, changed_at = ?,
                             hold_id = ?, end_id = ?
          WHERE id = ? AND version = ?",
    )
    .bind(keeping.state.name())
    .bind(keeping.decision.map(super::Verdict::name))
    .bind(i64::from(keeping.heuristic))
    .bind(after.decided.as_ref().map(|decided| decided.by.as_str()))
    .bind(after.decided.as_ref().map(|decided| decided.at))
    .bind(after.decided.as_ref().and_then(|decided| decided.why.as_deref()))
    .bind(keeping.told.map(super::Verdict::name))
    .bind(after.code.as_deref())
    .bind(i64::from(keeping.attempt))
    .bind(i64::from(keeping.tries))
    .bind(after.version)
    .bind(after.due_at)
    .bind(after.changed_at)
    .bind(sequence(after.hold))
    .bind(sequence(after.end))
    .bind(after.id.as_bytes().to_vec())
    .bind(version)
    .execute(change.connection())
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn open(
    connection: &mut Connection,
    promise: &Promise,
    rail: &RailSettings,
    saw: Observation,
    trouble: Trouble,
    seen: &Seen<'_>,
    (id, at): (Uuid, i64),
) -> Result<bool, sqlx::Error> {
    let content = promise.content.as_ref();
    // An abort that came first is about no money; a case needs a currency nevertheless.
    let currency = content.map(|content| content.currency);
    let Some(currency) = currency.or(rail.currencies.first().map(|lane| lane.currency)) else {
        return Ok(false);
    };
    let new = case::New {
        id,
        kind: trouble.into(),
        payment: None,
        incoming: None,
        promise: Some(promise.id),
        rail: &promise.rail,
        at_risk: content.map_or(0, |content| content.amount),
        currency,
        evidence: json!({
            "reference": promise.reference, "state": promise.keeping.state.name(), "observed": saw.name(),
            "decision": promise.keeping.decision.map(super::Verdict::name), "reason": seen.reason,
        }),
        reason: seen.reason,
    };
    case::open(connection, new, seen.by, at).await
}

/// A line of the timeline to be written.
pub(in crate::payments) struct Line<'a> {
    pub(in crate::payments) promise: &'a Promise,
    pub(in crate::payments) from: Option<Keeping>,
    pub(in crate::payments) saw: &'a str,
    pub(in crate::payments) seen: &'a Seen<'a>,
    pub(in crate::payments) at: i64,
}

pub(in crate::payments) async fn write(
    connection: &mut Connection,
    line: Line<'_>,
) -> Result<(), sqlx::Error> {
    let (promise, seen) = (line.promise, line.seen);
    sqlx::query(
        "INSERT INTO promise_transitions (promise, version, at, actor, origin, from_state, to_state, attempt,
                                          observed, reason, transaction_id)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(promise.id.as_bytes().to_vec())
    .bind(promise.version)
    .bind(line.at)
    .bind(&*seen.by.name)
    .bind(&*seen.by.origin)
    .bind(line.from.map(|keeping| keeping.state.name()))
    .bind(promise.keeping.state.name())
    .bind(i64::from(promise.keeping.attempt))
    .bind(line.saw)
    .bind(seen.reason.map(short))
    .bind(seen.event.map(|sequence| sequence.0.cast_signed()))
    .execute(connection)
    .await
    .map(drop)
}
