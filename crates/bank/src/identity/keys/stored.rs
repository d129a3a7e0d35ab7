//! The rows of `api_keys` and `api_key_accounts`, read together.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64};

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::database::{Database, DatabaseError};
use crate::identity::credential::Credential;
use crate::identity::role::Role;
use crate::identity::secret::Prefix;

/// The keys that authenticate, or did until they expired.
pub(super) const LIVE: &str = "SELECT * FROM api_keys WHERE revoked_at IS NULL";
/// All keys, oldest first.
pub(super) const ALL: &str = "SELECT * FROM api_keys ORDER BY created_at, id";

/// A key as lists show it, revoked and expired ones included.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the columns of api_keys, as documented at NewKey and Credential")]
pub struct KeyInfo {
    pub id: Uuid,
    pub prefix: String,
    pub name: String,
    pub principal: String,
    pub role: Role,
    pub accounts: Vec<u64>,
    pub drawer: Option<u64>,
    pub created_at_us: i64,
    pub created_by: String,
    pub expires_at_us: Option<i64>,
    pub revoked_at_us: Option<i64>,
    pub last_used_us: Option<i64>,
}

/// A row with what lists do not show.
pub(super) struct Stored {
    pub(super) info: KeyInfo,
    prefix: Prefix,
    hash: [u8; 32],
}

impl Stored {
    pub(super) fn into_credential(self) -> Credential {
        let Stored { info: key, prefix, hash } = self;
        Credential {
            id: key.id,
            name: key.name.into(),
            principal: key.principal.into(),
            role: key.role,
            accounts: key.accounts.into(),
            drawer: key.drawer,
            expires_at_us: key.expires_at_us,
            prefix,
            hash,
            revoked: AtomicBool::new(false),
            last_used_us: AtomicI64::new(key.last_used_us.unwrap_or(0)),
            principal_id: OnceLock::new(),
        }
    }
}

fn stored(row: &AnyRow, id: Uuid, accounts: Vec<u64>) -> Result<Stored, sqlx::Error> {
    let decode = |what: &str| sqlx::Error::Decode(format!("api_keys.{what} of key {id}").into());
    let prefix: String = row.try_get("prefix")?;
    let hash: Vec<u8> = row.try_get("hash")?;
    let hash = hash.try_into().map_err(|_| decode("hash"))?;
    let role: String = row.try_get("role")?;
    let info = KeyInfo {
        id,
        prefix: prefix.clone(),
        name: row.try_get("name")?,
        principal: row.try_get("principal")?,
        role: role.parse().map_err(|_| decode("role"))?,
        accounts,
        drawer: row.try_get::<Option<i64>, _>("drawer_account_id")?.map(i64::cast_unsigned),
        created_at_us: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        expires_at_us: row.try_get("expires_at")?,
        revoked_at_us: row.try_get("revoked_at")?,
        last_used_us: row.try_get("last_used")?,
    };
    let prefix = prefix.as_bytes().try_into().map_err(|_| decode("prefix"))?;
    Ok(Stored { info, prefix, hash })
}

pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|e| sqlx::Error::Decode(Box::new(e)))
}

/// Reads `keys` with their accounts.
pub(super) async fn read(database: &Database, keys: &'static str) -> Result<Vec<Stored>, DatabaseError> {
    let fault = |e| database.fault(e);
    let read = async {
        // One read tx: a key must not be seen without its accounts.
        let mut tx = database.pool().begin().await?;
        let rows = sqlx::query(keys).fetch_all(&mut *tx).await?;
        let pairs: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT key_id, account_id FROM api_key_accounts ORDER BY key_id, account_id")
                .fetch_all(&mut *tx)
                .await?;
        Ok((rows, pairs))
    };
    let (rows, pairs) = database.within(read).await.map_err(fault)?;
    let mut accounts: HashMap<Vec<u8>, Vec<u64>> = HashMap::new();
    for (key, account) in pairs {
        accounts.entry(key).or_default().push(account.cast_unsigned());
    }
    let found = rows.iter().map(|row| {
        let id: Vec<u8> = row.try_get("id")?;
        stored(row, uuid(&id)?, accounts.remove(&id).unwrap_or_default())
    });
    found.collect::<Result<_, _>>().map_err(fault)
}
