//! How far a subscription has come, durably: its mark, what is parked, what was given up, and the newest attempts
//! that failed. Written some times a second whatever the speed, never once an event.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::lanes::{Durable, Parked};
use super::sink::Attempt;
use crate::database::{Actor, Database, DatabaseError};

/// Failed attempts that are kept of each subscription.
pub const ATTEMPTS_KEPT: u64 = 1_000;

/// Failed attempts that one writing keeps; of more than that only the newest.
const ATTEMPTS_WRITTEN: usize = 200;

/// In whose name the outbox writes.
#[must_use]
pub(super) fn subsystem() -> Actor {
    Actor::new("internal:outbox", "bankcore")
}

/// An attempt, as it is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// The event; 0 for a test.
    pub sequence: u64,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// What came of it.
    pub result: Attempt,
}

/// An event that was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetter {
    /// The event.
    pub sequence: u64,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up, microseconds since 1970.
    pub at_us: i64,
    /// What the last attempt said.
    pub why: String,
}

/// What the database holds of one subscription.
pub(super) struct Progress {
    database: Database,
    id: Uuid,
    mark: u64,
    parked: BTreeMap<u64, Parked>,
    attempts: u64,
}

/// What there is to write.
pub(super) struct News<'a> {
    pub(super) durable: &'a Durable,
    pub(super) dead: &'a [DeadLetter],
    pub(super) failed: &'a [Tried],
}

impl Progress {
    /// Reads it.
    pub(super) async fn read(
        database: &Database,
        id: Uuid,
        begins_after: u64,
    ) -> Result<Progress, DatabaseError> {
        let fault = |e| database.fault(e);
        let key = id.as_bytes().to_vec();
        let mark: Option<i64> = sqlx::query_scalar("SELECT mark FROM outbox_marks WHERE subscription_id = ?")
            .bind(key.clone())
            .fetch_optional(database.pool())
            .await
            .map_err(fault)?;
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT max(number) FROM outbox_attempts WHERE subscription_id = ?")
                .bind(key)
                .fetch_one(database.pool())
                .await
                .map_err(fault)?;
        Ok(Progress {
            parked: parked(database, id).await?.into_iter().map(|parked| (parked.sequence, parked)).collect(),
            database: database.clone(),
            id,
            mark: mark.map_or(begins_after, i64::cast_unsigned),
            attempts: newest.map_or(0, i64::cast_unsigned),
        })
    }

    /// What is durable.
    pub(super) fn durable(&self) -> Durable {
        Durable { mark: self.mark, parked: self.parked.values().copied().collect() }
    }

    /// Does the database hold this already?
    pub(super) fn holds(&self, news: &News<'_>) -> bool {
        let same = |parked: &Parked| self.parked.get(&parked.sequence) == Some(parked);
        self.mark == news.durable.mark
            && self.parked.len() == news.durable.parked.len()
            && news.durable.parked.iter().all(same)
            && news.dead.is_empty()
            && news.failed.is_empty()
    }

    /// Writes what is new, in one db tx.
    pub(super) async fn write(&mut self, news: &News<'_>, now_us: i64) -> Result<(), DatabaseError> {
        let database = self.database.clone();
        let fault = |e| database.fault(e);
        let key = self.id.as_bytes().to_vec();
        let mut change = database.begin(&subsystem(), now_us).await?;
        let moved = sqlx::query("UPDATE outbox_marks SET mark = ?, updated_at = ? WHERE subscription_id = ?")
            .bind(news.durable.mark.cast_signed())
            .bind(now_us)
            .bind(key.clone())
            .execute(change.connection())
            .await
            .map_err(fault)?;
        if moved.rows_affected() == 0 {
            sqlx::query("INSERT INTO outbox_marks (subscription_id, mark, updated_at) VALUES (?, ?, ?)")
                .bind(key.clone())
                .bind(news.durable.mark.cast_signed())
                .bind(now_us)
                .execute(change.connection())
                .await
                .map_err(fault)?;
        }
        let wanted: BTreeMap<u64, Parked> =
            news.durable.parked.iter().map(|parked| (parked.sequence, *parked)).collect();
        let stale = self.parked.values().filter(|old| wanted.get(&old.sequence) != Some(old));
        let new = wanted.values().filter(|new| self.parked.get(&new.sequence) != Some(new));
        // Also before a new one: somebody may have parked the same event to be sent again.
        for Parked { sequence, .. } in stale.chain(new.clone()) {
            sqlx::query("DELETE FROM outbox_parked WHERE subscription_id = ? AND sequence = ?")
                .bind(key.clone())
                .bind(sequence.cast_signed())
                .execute(change.connection())
                .await
                .map_err(fault)?;
        }
        for parked in new {
            sqlx::query(
                "INSERT INTO outbox_parked (subscription_id, sequence, attempts, due_at) VALUES (?, ?, ?, ?)",
            )
            .bind(key.clone())
            .bind(parked.sequence.cast_signed())
            .bind(i64::from(parked.attempts))
            .bind(parked.due_us)
            .execute(change.connection())
            .await
            .map_err(fault)?;
        }
        for dead in news.dead {
            sqlx::query("DELETE FROM outbox_dead_letters WHERE subscription_id = ? AND sequence = ?")
                .bind(key.clone())
                .bind(dead.sequence.cast_signed())
                .execute(change.connection())
                .await
                .map_err(fault)?;
            sqlx::query(
                "INSERT INTO outbox_dead_letters (subscription_id, sequence, attempts, given_up_at, why)
                 VALUES (?, ?, ?, ?, ?)",
            )
            .bind(key.clone())
            .bind(dead.sequence.cast_signed())
            .bind(i64::from(dead.attempts))
            .bind(dead.at_us)
            .bind(dead.why.clone())
            .execute(change.connection())
            .await
            .map_err(fault)?;
        }
        let skipped = news.failed.len().saturating_sub(ATTEMPTS_WRITTEN);
        let mut number = self.attempts;
        for tried in &news.failed[skipped..] {
            number += 1;
            sqlx::query(
                "INSERT INTO outbox_attempts (subscription_id, number, sequence, attempt, at, took, status, detail)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(key.clone())
            .bind(number.cast_signed())
            .bind(tried.sequence.cast_signed())
            .bind(i64::from(tried.attempt))
            .bind(tried.at_us)
            .bind(i64::try_from(tried.result.took.as_micros()).unwrap_or(i64::MAX))
            .bind(tried.result.status.map(i64::from))
            .bind(tried.result.detail.clone())
            .execute(change.connection())
            .await
            .map_err(fault)?;
        }
        if number > self.attempts {
            sqlx::query("DELETE FROM outbox_attempts WHERE subscription_id = ? AND number <= ?")
                .bind(key)
                .bind(number.saturating_sub(ATTEMPTS_KEPT).cast_signed())
                .execute(change.connection())
                .await
                .map_err(fault)?;
        }
        change.commit().await?;
        (self.mark, self.parked, self.attempts) = (news.durable.mark, wanted, number);
        Ok(())
    }

    /// Takes in what somebody had parked to be sent again, beside this: new ones, and those that are wanted sooner.
    pub(super) async fn reread(&mut self) -> Result<Vec<Parked>, DatabaseError> {
        let found = parked(&self.database, self.id).await?;
        let known = |parked: &Parked| self.parked.get(&parked.sequence);
        let new = found.into_iter().filter(|new| known(new).is_none_or(|known| new.due_us < known.due_us));
        let new: Vec<Parked> = new.collect();
        self.parked.extend(new.iter().map(|parked| (parked.sequence, *parked)));
        Ok(new)
    }
}

async fn parked(database: &Database, id: Uuid) -> Result<Vec<Parked>, DatabaseError> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT sequence, attempts, due_at FROM outbox_parked WHERE subscription_id = ? ORDER BY sequence",
    )
    .bind(id.as_bytes().to_vec())
    .fetch_all(database.pool())
    .await
    .map_err(|e| database.fault(e))?;
    let read = |(sequence, attempts, due_us): (i64, i64, i64)| Parked {
        sequence: sequence.cast_unsigned(),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        due_us,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The mark, as it was last written.
pub(super) async fn mark(database: &Database, id: Uuid) -> Result<Option<u64>, DatabaseError> {
    let mark: Option<i64> = sqlx::query_scalar("SELECT mark FROM outbox_marks WHERE subscription_id = ?")
        .bind(id.as_bytes().to_vec())
        .fetch_optional(database.pool())
        .await
        .map_err(|e| database.fault(e))?;
    Ok(mark.map(i64::cast_unsigned))
}

/// How many events are parked, and how many were given up.
pub(super) async fn counts(database: &Database, id: Uuid) -> Result<(u64, u64), DatabaseError> {
    let row: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM outbox_parked WHERE subscription_id = ?),
                (SELECT count(*) FROM outbox_dead_letters WHERE subscription_id = ?)",
    )
    .bind(id.as_bytes().to_vec())
    .bind(id.as_bytes().to_vec())
    .fetch_one(database.pool())
    .await
    .map_err(|e| database.fault(e))?;
    Ok((row.0.cast_unsigned(), row.1.cast_unsigned()))
}

/// Dead letters after a sequence, in order.
pub(super) async fn dead_letters(
    database: &Database,
    id: Uuid,
    after: u64,
    limit: usize,
) -> Result<Vec<DeadLetter>, DatabaseError> {
    let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(
        "SELECT sequence, attempts, given_up_at, why FROM outbox_dead_letters
          WHERE subscription_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
    )
    .bind(id.as_bytes().to_vec())
    .bind(after.cast_signed())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await
    .map_err(|e| database.fault(e))?;
    let read = |(sequence, attempts, at_us, why): (i64, i64, i64, String)| DeadLetter {
        sequence: sequence.cast_unsigned(),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        at_us,
        why,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The newest attempts that failed, the newest first.
pub(super) async fn failed(database: &Database, id: Uuid, limit: usize) -> Result<Vec<Tried>, DatabaseError> {
    type Row = (i64, i64, i64, i64, Option<i64>, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sequence, attempt, at, took, status, detail FROM outbox_attempts
          WHERE subscription_id = ? ORDER BY number DESC LIMIT ?",
    )
    .bind(id.as_bytes().to_vec())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await
    .map_err(|e| database.fault(e))?;
    let read = |(sequence, attempt, at_us, took, status, detail): Row| Tried {
        sequence: sequence.cast_unsigned(),
        attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        at_us,
        result: Attempt {
            outcome: super::sink::Outcome::Failed(None),
            status: status.and_then(|status| u16::try_from(status).ok()),
            detail,
            took: std::time::Duration::from_micros(took.cast_unsigned()),
        },
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Parks events so that they go out once more, now; those that are parked already stay as they are.
pub(super) async fn park_again(
    database: &Database,
    by: &Actor,
    id: Uuid,
    sequences: &[u64],
    now_us: i64,
) -> Result<(), DatabaseError> {
    let fault = |e| database.fault(e);
    let key = id.as_bytes().to_vec();
    let mut change = database.begin(by, now_us).await?;
    let known: Vec<i64> =
        sqlx::query_scalar("SELECT sequence FROM outbox_parked WHERE subscription_id = ? ORDER BY sequence")
            .bind(key.clone())
            .fetch_all(change.connection())
            .await
            .map_err(fault)?;
    for sequence in sequences {
        sqlx::query("DELETE FROM outbox_dead_letters WHERE subscription_id = ? AND sequence = ?")
            .bind(key.clone())
            .bind(sequence.cast_signed())
            .execute(change.connection())
            .await
            .map_err(fault)?;
        if known.binary_search(&sequence.cast_signed()).is_ok() {
            sqlx::query(
                "UPDATE outbox_parked SET due_at = ? WHERE subscription_id = ? AND sequence = ? AND due_at > ?",
            )
            .bind(now_us)
            .bind(key.clone())
            .bind(sequence.cast_signed())
            .bind(now_us)
            .execute(change.connection())
            .await
            .map_err(fault)?;
            continue;
        }
        sqlx::query(
            "INSERT INTO outbox_parked (subscription_id, sequence, attempts, due_at) VALUES (?, ?, 0, ?)",
        )
        .bind(key.clone())
        .bind(sequence.cast_signed())
        .bind(now_us)
        .execute(change.connection())
        .await
        .map_err(fault)?;
    }
    let new = crate::database::NewAuditRecord {
        action: "replay",
        object: "subscription",
        object_id: &id.simple().to_string(),
        before: None,
        after: Some(serde_json::json!({
            "events": sequences.len(), "first": sequences.first(), "last": sequences.last()
        })),
    };
    crate::database::audit::record(&mut change, &new).await.map_err(fault)?;
    change.commit().await
}
