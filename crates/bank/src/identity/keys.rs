//! API keys, the durable side: create, revoke, list.
//!
//! The order keeps the promise of each command. Creating: the row is committed, then the directory knows the
//! key, then the secret is handed out. Revoking: the row is committed, then the directory forgets the key,
//! then the command returns. Commands run one after the other, so the directory never takes over an older
//! state than it has.
//!
//! [`KeyStore::refresh`], called about once a minute, writes `last_used` and takes over what was changed in
//! the database by hand: a key revoked with `sqlite3` is dead within that minute.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, OnceLock};

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::credential::Credential;
use super::directory::Directory;
use super::principal::PrincipalName;
use super::role::Role;
use super::secret::{self, KeyMaterial, Prefix, Secret};
use crate::database::{Actor, Database, DatabaseError};

/// The longest name of a key, in characters.
pub const NAME_MAX: usize = 100;
/// The most accounts that one customer's key may see.
pub const ACCOUNTS_MAX: usize = 1_000;

/// A key to create.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// What people call it.
    pub name: String,
    /// Whose intent its requests are.
    pub principal: PrincipalName,
    /// What kind of actor its holder is.
    pub role: Role,
    /// The accounts that a customer may see; empty for the others.
    pub accounts: Vec<u64>,
    /// A banker's own cash account; `None` for the others.
    pub drawer: Option<u64>,
    /// From when on it is dead, in microseconds since 1970.
    pub expires_at_us: Option<i64>,
}

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

/// Names a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyRef {
    /// By id.
    Id(Uuid),
    /// By the 8 characters after `bck_`.
    Prefix(String),
}

/// Why a command on keys was not done.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long or not printable.
    #[error("a key's name has 1 to 100 printable characters; choose another name")]
    Name,
    /// A customer's key without accounts.
    #[error("a customer's key needs the accounts that it may see; name at least one and at most 1000")]
    NoAccounts,
    /// Accounts for a role that sees all, or none.
    #[error("only a customer's key names accounts; leave them out")]
    AccountsNotUsed,
    /// A drawer for a role that takes no cash.
    #[error("only a banker's key has a drawer; leave it out")]
    DrawerNotUsed,
    /// An account id of 0 or beyond 2⁶³ − 1.
    #[error("{0} is no account id; use the id that the account was opened with")]
    AccountId(u64),
    /// An end in the past.
    #[error("the key would have expired already; choose a later end")]
    ExpiresInThePast,
    /// No such key.
    #[error("no such API key; list the keys to see their ids and prefixes")]
    NotFound,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The keys in the bank database, and the directory that mirrors them.
pub struct KeyStore {
    database: Database,
    directory: Arc<Directory>,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl KeyStore {
    /// Loads all live keys.
    pub async fn open(database: Database) -> Result<KeyStore, DatabaseError> {
        let store =
            KeyStore { database, directory: Arc::default(), one_at_a_time: tokio::sync::Mutex::default() };
        store.load().await?;
        Ok(store)
    }

    /// The directory that authenticates requests.
    #[must_use]
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Creates a key. The secret is returned here and nowhere else.
    pub async fn create_key(
        &self,
        new: NewKey,
        by: &Actor,
        material: &KeyMaterial,
        now_us: i64,
    ) -> Result<(Arc<Credential>, Secret), KeyError> {
        let new = checked(new, now_us)?;
        let _turn = self.one_at_a_time.lock().await;
        let millis = u64::try_from(now_us / 1_000).unwrap_or(0);
        let (secret, prefix) = material.key();
        let credential = Credential {
            id: uuid::Builder::from_unix_timestamp_millis(millis, &material.id).into_uuid(),
            name: new.name.into(),
            principal: new.principal.as_str().into(),
            role: new.role,
            accounts: new.accounts.into(),
            drawer: new.drawer,
            expires_at_us: new.expires_at_us,
            prefix,
            hash: secret::hash(secret.expose()),
            revoked: AtomicBool::new(false),
            last_used_us: AtomicI64::new(0),
            principal_id: OnceLock::new(),
        };
        self.write(&credential, by, now_us).await?;
        let credential = Arc::new(credential);
        self.directory.insert(credential.clone());
        Ok((credential, secret))
    }

    async fn write(&self, credential: &Credential, by: &Actor, now_us: i64) -> Result<(), DatabaseError> {
        let fault = |e| self.database.fault(e);
        let mut change = self.database.begin(by, now_us).await?;
        sqlx::query(
            "INSERT INTO api_keys (id, prefix, hash, name, principal, role, drawer_account_id,
                                   created_at, created_by, expires_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(&credential.id.as_bytes()[..])
        .bind(credential.prefix())
        .bind(&credential.hash[..])
        .bind(&*credential.name)
        .bind(&*credential.principal)
        .bind(credential.role.name())
        .bind(credential.drawer.map(u64::cast_signed))
        .bind(now_us)
        .bind(&*by.name)
        .bind(credential.expires_at_us)
        .execute(change.connection())
        .await
        .map_err(fault)?;
        for account in &credential.accounts {
            sqlx::query("INSERT INTO api_key_accounts (key_id, account_id) VALUES (?, ?)")
                .bind(&credential.id.as_bytes()[..])
                .bind(account.cast_signed())
                .execute(change.connection())
                .await
                .map_err(fault)?;
        }
        change.commit().await
    }

    /// Revokes a key for good; it is dead when this returns. Revoking again changes nothing.
    pub async fn revoke_key(&self, key: &KeyRef, by: &Actor, now_us: i64) -> Result<Uuid, KeyError> {
        let fault = |e| self.database.fault(e);
        let _turn = self.one_at_a_time.lock().await;
        let (id, prefix) = match key {
            KeyRef::Id(id) => (Some(id.as_bytes().to_vec()), None),
            KeyRef::Prefix(prefix) => (None, Some(prefix.as_str())),
        };
        let mut change = self.database.begin(by, now_us).await?;
        let found: Option<Vec<u8>> = sqlx::query_scalar("SELECT id FROM api_keys WHERE id = ? OR prefix = ?")
            .bind(id)
            .bind(prefix)
            .fetch_optional(change.connection())
            .await
            .map_err(fault)?;
        let id = found.ok_or(KeyError::NotFound)?;
        sqlx::query("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL")
            .bind(now_us)
            .bind(&id[..])
            .execute(change.connection())
            .await
            .map_err(fault)?;
        change.commit().await?;
        let id = uuid(&id).map_err(fault)?;
        self.directory.revoke(id);
        Ok(id)
    }

    /// All keys, oldest first, without anything secret.
    pub async fn list_keys(&self) -> Result<Vec<KeyInfo>, DatabaseError> {
        let mut keys = self.read("SELECT * FROM api_keys ORDER BY created_at, id").await?;
        let used: HashMap<Uuid, Option<i64>> =
            self.directory.all().iter().map(|c| (c.id, c.last_used_us())).collect();
        for Stored { info, .. } in &mut keys {
            info.last_used_us = info.last_used_us.max(used.get(&info.id).copied().flatten());
        }
        Ok(keys.into_iter().map(|key| key.info).collect())
    }

    /// Writes when keys were last used and takes over changes made in the database by hand.
    pub async fn refresh(&self, now_us: i64) -> Result<(), DatabaseError> {
        let _turn = self.one_at_a_time.lock().await;
        let fault = |e| self.database.fault(e);
        let mut change = self.database.begin(&Actor::new("internal:keys", "bankcore"), now_us).await?;
        for credential in self.directory.all() {
            sqlx::query("UPDATE api_keys SET last_used = ?1 WHERE id = ?2 AND coalesce(last_used, 0) < ?1")
                .bind(credential.last_used_us().unwrap_or(0))
                .bind(&credential.id.as_bytes()[..])
                .execute(change.connection())
                .await
                .map_err(fault)?;
        }
        change.commit().await?;
        self.load().await
    }

    async fn load(&self) -> Result<(), DatabaseError> {
        let rows = self.read("SELECT * FROM api_keys WHERE revoked_at IS NULL").await?;
        let credentials = rows.into_iter().map(|Stored { info: key, prefix, hash }| Credential {
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
        });
        self.directory.replace(credentials.collect());
        Ok(())
    }

    async fn read(&self, keys: &'static str) -> Result<Vec<Stored>, DatabaseError> {
        let fault = |e| self.database.fault(e);
        // One read tx: a key must not be seen without its accounts.
        let mut tx = self.database.pool().begin().await.map_err(fault)?;
        let rows = sqlx::query(keys).fetch_all(&mut *tx).await.map_err(fault)?;
        let pairs: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("SELECT key_id, account_id FROM api_key_accounts ORDER BY key_id, account_id")
                .fetch_all(&mut *tx)
                .await
                .map_err(fault)?;
        drop(tx);
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
}

/// A row with what lists do not show.
struct Stored {
    info: KeyInfo,
    prefix: Prefix,
    hash: [u8; 32],
}

fn stored(row: &SqliteRow, id: Uuid, accounts: Vec<u64>) -> Result<Stored, sqlx::Error> {
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

fn uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|e| sqlx::Error::Decode(Box::new(e)))
}

fn checked(mut new: NewKey, now_us: i64) -> Result<NewKey, KeyError> {
    let length = new.name.chars().count();
    if length == 0 || length > NAME_MAX || new.name.chars().any(char::is_control) {
        return Err(KeyError::Name);
    }
    new.accounts.sort_unstable();
    new.accounts.dedup();
    let customer = new.role == Role::Customer;
    if customer && (new.accounts.is_empty() || new.accounts.len() > ACCOUNTS_MAX) {
        return Err(KeyError::NoAccounts);
    }
    if !customer && !new.accounts.is_empty() {
        return Err(KeyError::AccountsNotUsed);
    }
    if new.role != Role::Banker && new.drawer.is_some() {
        return Err(KeyError::DrawerNotUsed);
    }
    let bad = |id: &&u64| **id == 0 || i64::try_from(**id).is_err();
    if let Some(id) = new.accounts.iter().chain(&new.drawer).find(bad) {
        return Err(KeyError::AccountId(*id));
    }
    if new.expires_at_us.is_some_and(|end| end <= now_us) {
        return Err(KeyError::ExpiresInThePast);
    }
    Ok(new)
}

#[cfg(test)]
mod tests;
