//! API keys, the durable side: create, revoke, list.
//!
//! The order keeps the promise of each command. Creating: the row is committed, then the directory knows the
//! key, then the secret is handed out. Revoking: the row is committed, then the directory forgets the key,
//! then the command returns. Commands run one after the other, so the directory never takes over an older
//! state than it has.
//!
//! [`KeyStore::follow`], called about once a second, takes over what others have changed: other services on the same
//! database, or somebody by hand. [`KeyStore::refresh`], called about once a minute, writes `last_used`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use uuid::Uuid;

use super::credential::Credential;
use super::directory::Directory;
use super::secret::{self, KeyMaterial, Secret};
use crate::database::{Actor, Database, DatabaseError};

pub mod new_key;
mod stored;

pub use new_key::NewKey;
pub use stored::KeyInfo;
use stored::{ALL, LIVE, Stored};

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

/// No audit record was seen yet.
const NOTHING: i64 = -1;

/// The keys in the bank database, and the directory that mirrors them.
pub struct KeyStore {
    database: Database,
    directory: Arc<Directory>,
    one_at_a_time: tokio::sync::Mutex<()>,
    /// The newest audit record when the directory last took over what the database holds.
    seen: AtomicI64,
}

impl KeyStore {
    /// Loads all live keys.
    pub async fn open(database: Database) -> Result<KeyStore, DatabaseError> {
        let store = KeyStore {
            database,
            directory: Arc::default(),
            one_at_a_time: tokio::sync::Mutex::default(),
            seen: AtomicI64::new(NOTHING),
        };
        store.follow().await?;
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
        let new = new.checked(now_us)?;
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
        let id = stored::uuid(&id).map_err(fault)?;
        self.directory.revoke(id);
        Ok(id)
    }

    /// All keys, oldest first, without anything secret.
    pub async fn list_keys(&self) -> Result<Vec<KeyInfo>, DatabaseError> {
        let mut keys = stored::read(&self.database, ALL).await?;
        let used: HashMap<Uuid, Option<i64>> =
            self.directory.all().iter().map(|c| (c.id, c.last_used_us())).collect();
        for Stored { info, .. } in &mut keys {
            info.last_used_us = info.last_used_us.max(used.get(&info.id).copied().flatten());
        }
        Ok(keys.into_iter().map(|key| key.info).collect())
    }

    /// Takes over what others have changed since the last time, if anything was. Whoever changes a key leaves an audit
    /// record, so looking whether there is a new one is enough.
    pub async fn follow(&self) -> Result<(), DatabaseError> {
        let newest = self.database.newest_record().await?;
        if self.seen.load(Ordering::Relaxed) == newest {
            return Ok(());
        }
        let _turn = self.one_at_a_time.lock().await;
        let stored = stored::read(&self.database, LIVE).await?;
        self.directory.replace(stored.into_iter().map(Stored::into_credential).collect());
        self.seen.store(newest, Ordering::Relaxed);
        Ok(())
    }

    /// Writes when keys were last used, and takes over whatever the database holds.
    pub async fn refresh(&self, now_us: i64) -> Result<(), DatabaseError> {
        let _turn = self.one_at_a_time.lock().await;
        let stored = stored::read(&self.database, LIVE).await?;
        let written: HashMap<Uuid, Option<i64>> =
            stored.iter().map(|key| (key.info.id, key.info.last_used_us)).collect();
        let mut used = self.directory.all();
        used.retain(|c| written.get(&c.id).is_some_and(|at| *at < c.last_used_us()));
        if !used.is_empty() {
            self.write_last_used(&used, now_us).await?;
        }
        self.directory.replace(stored.into_iter().map(Stored::into_credential).collect());
        Ok(())
    }

    async fn write_last_used(&self, used: &[Arc<Credential>], now_us: i64) -> Result<(), DatabaseError> {
        let mut change = self.database.begin(&Actor::new("internal:keys", "bankcore"), now_us).await?;
        for credential in used {
            sqlx::query("UPDATE api_keys SET last_used = ? WHERE id = ?")
                .bind(credential.last_used_us())
                .bind(&credential.id.as_bytes()[..])
                .execute(change.connection())
                .await
                .map_err(|e| self.database.fault(e))?;
        }
        change.commit().await
    }
}
