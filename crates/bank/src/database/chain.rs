//! The audit record as a hash chain, so that what was recorded can be proved later, and without the service.
//!
//! ```text
//! hash(0) = SHA-256("bankcore audit v1" ‖ bank id)
//! hash(n) = SHA-256(hash(n−1) ‖ id i64 ‖ at i64 ‖ actor ‖ origin ‖ action ‖ object ‖ object_id ‖ before ‖ after)
//! ```
//! Integers are big-endian; a text is a byte 1, its length (u32) and its bytes as stored, a missing one a byte 0.
//!
//! [`Change::commit`](super::Change::commit) chains what the change recorded, in the same db tx. Records without a hash
//! are those that another program caused; the next change, or opening the file, chains them too.
//!
//! **What it proves.** A record that was edited, taken out or put in between breaks the chain from there on. Nobody
//! can hide that who cannot make all hashes anew; and who can (the hashes need no secret) is found out by the journal:
//! each business day, opened or closed, carries the newest hash in its event ([`Anchor`], `service/anchor.rs`). **What it cannot:**
//! records since the newest business day, cut off or replaced together with their hashes *and* SQLite's own count of
//! them. Nor does it tell who wrote a record while the triggers were taken out.

use sha2::{Digest as _, Sha256};
use sqlx::AnyConnection;

/// Records that are chained at a time.
const PAGE: i64 = 1_000;

/// A hash of the chain.
pub type Hash = [u8; 32];

/// A record as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(super) at: i64,
    pub(crate) actor: String,
    pub(super) origin: Option<String>,
    pub(super) action: String,
    pub(super) object: String,
    pub(super) object_id: String,
    pub(super) before_state: Option<String>,
    pub(super) after_state: Option<String>,
}

/// The newest record and its hash, as a business day's event carries them in its description.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// The record's id.
    pub id: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Anchor {
    /// Back from the text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Anchor> {
        let (id, digits) = text.strip_prefix("audit ")?.split_once(' ')?;
        let mut hash = [0; 32];
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).ok()?;
        }
        Some(Anchor { id: id.parse().ok()?, hash })
    }
}

impl std::fmt::Display for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "audit {} ", self.id)?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where the chain of a bank begins.
pub(crate) fn start(bank: &[u8]) -> Hash {
    Sha256::new().chain_update("bankcore audit v1").chain_update(bank).finalize().into()
}

/// The hash of a record that follows the one with hash `before`.
pub(crate) fn next(before: &Hash, row: &Row) -> Hash {
    let mut hash = Sha256::new().chain_update(before);
    hash.update(row.id.to_be_bytes());
    hash.update(row.at.to_be_bytes());
    let signed = [Some(&row.actor), row.origin.as_ref()];
    let object = [Some(&row.action), Some(&row.object), Some(&row.object_id)];
    let states = [row.before_state.as_ref(), row.after_state.as_ref()];
    for text in signed.into_iter().chain(object).chain(states) {
        match text {
            None => hash.update([0]),
            Some(text) => {
                hash.update([1]);
                hash.update((text.len() as u32).to_be_bytes());
                hash.update(text);
            }
        }
    }
    hash.finalize().into()
}

/// Chains every record that has no hash yet. The caller's db tx holds the write lock.
pub(super) async fn extend(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let (mut last, mut hash) = end(connection).await?;
    loop {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM audit_records WHERE id > ? ORDER BY id LIMIT ?")
            .bind(last)
            .bind(PAGE)
            .fetch_all(&mut *connection)
            .await?;
        for row in &rows {
            (last, hash) = (row.id, next(&hash, row));
            sqlx::query("INSERT INTO audit_chain (id, hash) VALUES (?, ?)")
                .bind(last)
                .bind(&hash[..])
                .execute(&mut *connection)
                .await?;
        }
        if rows.len() < PAGE as usize {
            return Ok(());
        }
    }
}

/// The newest chained record; id 0 and the beginning of the chain if there is none.
pub(super) async fn end(connection: &mut AnyConnection) -> Result<(i64, Hash), sqlx::Error> {
    let newest: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT id, hash FROM audit_chain ORDER BY id DESC LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?;
    match newest {
        Some((id, hash)) => {
            let hash = Hash::try_from(hash).map_err(|_| sqlx::Error::Decode("a hash has 32 bytes".into()))?;
            Ok((id, hash))
        }
        None => {
            let bank: Vec<u8> =
                sqlx::query_scalar("SELECT bank FROM bank_identity").fetch_one(&mut *connection).await?;
            Ok((0, start(&bank)))
        }
    }
}
