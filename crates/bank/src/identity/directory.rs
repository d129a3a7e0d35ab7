//! All live credentials, in memory: authenticating a request runs no SQL.
//!
//! Found by prefix, which is public, and then compared by hash in constant time, so no timing depends on a
//! secret. Filled at start and changed by [`super::KeyStore`] after each commit; revoking also marks the
//! shared credential, so that whoever still holds it (a stream, a batch) sees it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::credential::Credential;
use super::secret::{self, Prefix};

/// Why a request has no known sender. All are 401; the answer to the outside should not tell them apart
/// before the secret was right, and here only `Expired` is said after it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unauthenticated {
    /// Not the form of a key.
    #[error("this is not an API key; send the header Authorization: Bearer bck_…")]
    Malformed,
    /// No such key, a wrong secret, or revoked.
    #[error("this API key is not valid; ask an administrator for a new one")]
    Unknown,
    /// The right secret, too late.
    #[error("this API key has expired; ask an administrator for a new one")]
    Expired,
}

/// The live credentials.
#[derive(Default)]
pub struct Directory {
    live: RwLock<HashMap<Prefix, Arc<Credential>>>,
}

impl Directory {
    /// Whose key `bearer` is.
    pub fn authenticate(&self, bearer: &str, now_us: i64) -> Result<Arc<Credential>, Unauthenticated> {
        let prefix = secret::prefix_of(bearer).ok_or(Unauthenticated::Malformed)?;
        let credential = self.live.read().get(&prefix).cloned().ok_or(Unauthenticated::Unknown)?;
        let same = secret::hash(bearer).ct_eq(&credential.hash);
        if !bool::from(same) || credential.is_revoked() {
            return Err(Unauthenticated::Unknown);
        }
        if credential.is_expired(now_us) {
            return Err(Unauthenticated::Expired);
        }
        credential.used(now_us);
        Ok(credential)
    }

    /// The live key that has the prefix of `bearer`, whatever the secret; for records only.
    #[must_use]
    pub fn named(&self, bearer: &str) -> Option<Arc<Credential>> {
        let prefix = secret::prefix_of(bearer)?;
        self.live.read().get(&prefix).cloned()
    }

    /// All live credentials, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Credential>> {
        self.live.read().values().cloned().collect()
    }

    pub(super) fn insert(&self, credential: Arc<Credential>) {
        self.live.write().insert(credential.prefix, credential);
    }

    pub(super) fn revoke(&self, id: Uuid) {
        self.live.write().retain(|_, credential| {
            if credential.id == id {
                credential.revoke();
            }
            credential.id != id
        });
    }

    /// Takes over what the database holds. A credential that grants the same as before stays the same object;
    /// one that is gone or changed is revoked for those who still hold it.
    pub(super) fn replace(&self, found: Vec<Credential>) {
        let mut live = self.live.write();
        let mut before = std::mem::take(&mut *live);
        for new in found {
            let kept = match before.remove(&new.prefix) {
                Some(old) if old.grants_as(&new) => old,
                Some(old) => {
                    old.revoke();
                    if let Some(id) = old.principal_id().filter(|_| old.principal == new.principal) {
                        new.set_principal_id(id);
                    }
                    Arc::new(new)
                }
                None => Arc::new(new),
            };
            live.insert(kept.prefix, kept);
        }
        before.values().for_each(|gone| gone.revoke());
    }
}
