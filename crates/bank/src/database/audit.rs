//! The audit record: who did what, when, from where, before and after.
//!
//! Triggers write the records of changed rows; [`record`] is for what changes no row of this database, such
//! as a refused attempt. Nothing updates or deletes a record, not even by hand: triggers refuse it.

use serde_json::Value;

use super::chain::{self, Anchor, Hash, Row};
use super::{Change, Database, DatabaseError};

/// The most records that one call reads.
pub const PAGE_MAX: u32 = 1_000;

/// One record, as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditRecord {
    /// Rises with each record.
    pub id: i64,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Who; `outside` for a change that bypassed the service.
    pub actor: String,
    /// From where; `None` for a change that bypassed the service.
    pub origin: Option<String>,
    /// What was done: `create`, `change`, `revoke`, …
    pub action: String,
    /// The kind of the object: `api_key`, …
    pub object: String,
    /// Which one.
    pub object_id: String,
    /// What it was before.
    pub before: Option<Value>,
    /// What it is since.
    pub after: Option<Value>,
    /// The hash of the chain up to and including it; `None` until the service has chained what another program
    /// caused.
    pub hash: Option<Hash>,
}

/// A record to write; actor, origin and time are those of the change.
#[derive(Clone, Debug)]
pub struct NewAuditRecord<'a> {
    /// What was done.
    pub action: &'a str,
    /// The kind of the object.
    pub object: &'a str,
    /// Which one.
    pub object_id: &'a str,
    /// What it was before.
    pub before: Option<Value>,
    /// What it is since.
    pub after: Option<Value>,
}

/// Writes a record within `change`.
pub async fn record(change: &mut Change, new: &NewAuditRecord<'_>) -> Result<(), sqlx::Error> {
    let (actor, at) = (change.actor().clone(), change.now_us());
    sqlx::query(
        "INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(at)
    .bind(&*actor.name)
    .bind(&*actor.origin)
    .bind(new.action)
    .bind(new.object)
    .bind(new.object_id)
    .bind(new.before.as_ref().map(Value::to_string))
    .bind(new.after.as_ref().map(Value::to_string))
    .execute(change.connection())
    .await
    .map(|_| ())
}

/// The newest record that is chained, if there is one.
pub async fn newest(database: &Database) -> Result<Option<Anchor>, DatabaseError> {
    let fault = |e| database.fault(e);
    let mut connection = database.pool().acquire().await.map_err(fault)?;
    let (id, hash) = chain::end(&mut connection).await.map_err(fault)?;
    Ok((id > 0).then_some(Anchor { id, hash }))
}

/// The records after `after_id`, oldest first, at most `limit` and never more than [`PAGE_MAX`].
pub async fn list(database: &Database, after_id: i64, limit: u32) -> Result<Vec<AuditRecord>, DatabaseError> {
    let rows: Vec<Chained> = sqlx::query_as(
        "SELECT audit_records.*, hash FROM audit_records LEFT JOIN audit_chain USING (id)
          WHERE id > ? ORDER BY id LIMIT ?",
    )
    .bind(after_id)
    .bind(i64::from(limit.min(PAGE_MAX)))
    .fetch_all(database.pool())
    .await
    .map_err(|e| database.fault(e))?;
    rows.into_iter().map(|row| read(row).map_err(|e| database.fault(e))).collect()
}

/// A record and its hash.
#[derive(sqlx::FromRow)]
struct Chained {
    #[sqlx(flatten)]
    row: Row,
    hash: Option<Vec<u8>>,
}

fn read(chained: Chained) -> Result<AuditRecord, sqlx::Error> {
    let Row { id, at: at_us, actor, origin, action, object, object_id, before_state, after_state } =
        chained.row;
    let json = |text: Option<String>| {
        text.map(|t| serde_json::from_str(&t)).transpose().map_err(|e| sqlx::Error::Decode(Box::new(e)))
    };
    let (before, after) = (json(before_state)?, json(after_state)?);
    let hash = chained.hash.map(Hash::try_from).transpose();
    let hash = hash.map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))?;
    Ok(AuditRecord { id, at_us, actor, origin, action, object, object_id, before, after, hash })
}
