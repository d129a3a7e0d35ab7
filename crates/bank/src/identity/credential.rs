//! A key as the service sees it: who its holder is and what is theirs. Never the secret.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use uuid::Uuid;

use super::role::Role;
use super::secret::Prefix;

/// How coarse `last_used` is, and so how rarely it is written.
pub const LAST_USED_GRAIN_US: i64 = 60_000_000;

/// A live credential. Shared by all requests made with it; a stream that outlives a request asks
/// [`Credential::is_revoked`] before each answer.
pub struct Credential {
    /// Identifies the credential, in audit records above all.
    pub id: Uuid,
    /// What its maker called it.
    pub name: Box<str>,
    /// Whose intent its requests are.
    pub principal: Box<str>,
    /// What kind of actor its holder is.
    pub role: Role,
    /// The accounts that a customer may see, sorted; empty for the others.
    pub accounts: Box<[u64]>,
    /// A banker's own cash account.
    pub drawer: Option<u64>,
    /// From when on it is dead, in microseconds since 1970.
    pub expires_at_us: Option<i64>,
    pub(super) prefix: Prefix,
    pub(super) hash: [u8; 32],
    pub(super) revoked: AtomicBool,
    pub(super) last_used_us: AtomicI64,
    pub(super) principal_id: OnceLock<u32>,
}

impl Credential {
    /// The credential of whoever can open the socket in the data folder: an administrator, by the file's mode.
    #[must_use]
    pub fn local() -> Credential {
        Credential {
            id: Uuid::nil(),
            name: "local".into(),
            principal: "local".into(),
            role: Role::Admin,
            accounts: Box::default(),
            drawer: None,
            expires_at_us: None,
            prefix: *b"local---",
            hash: [0; 32],
            revoked: AtomicBool::new(false),
            last_used_us: AtomicI64::new(0),
            principal_id: OnceLock::new(),
        }
    }

    /// The credential of messages from a broker: its keys of idempotency are in a namespace that no request can name.
    #[must_use]
    pub fn queue() -> Credential {
        Credential {
            id: Uuid::from_u128(1),
            name: "queue".into(),
            principal: "internal:queue".into(),
            role: Role::Queue,
            prefix: *b"queue---",
            ..Credential::local()
        }
    }

    /// The credential of a subscription: nobody can call with it, and the policy knows by it what may be sent.
    #[must_use]
    pub fn of_subscription(
        id: Uuid,
        name: &str,
        principal: &str,
        role: Role,
        accounts: &[u64],
    ) -> Credential {
        Credential {
            id,
            name: name.into(),
            principal: principal.into(),
            role,
            accounts: accounts.into(),
            prefix: *b"outbox--",
            ..Credential::local()
        }
    }

    /// The public part of the key, by which people name it.
    #[must_use]
    pub fn prefix(&self) -> &str {
        std::str::from_utf8(&self.prefix).unwrap_or_default()
    }

    /// Whether the key was revoked; true before the revoking command returns.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Acquire)
    }

    /// Whether it is dead at `now_us`.
    #[must_use]
    pub fn is_expired(&self, now_us: i64) -> bool {
        self.expires_at_us.is_some_and(|end| now_us >= end)
    }

    /// The number that the ledger gave to the principal, once it is known.
    #[must_use]
    pub fn principal_id(&self) -> Option<u32> {
        self.principal_id.get().copied()
    }

    /// Notes the ledger's number of the principal. It never changes: another number is a bug.
    pub fn set_principal_id(&self, id: u32) {
        let known = *self.principal_id.get_or_init(|| id);
        assert_eq!(known, id, "principal {} has one number in the ledger", self.principal);
    }

    /// Whether `account` is among the customer's accounts.
    #[must_use]
    pub fn owns(&self, account: u64) -> bool {
        self.accounts.binary_search(&account).is_ok()
    }

    /// When it was last used, at most [`LAST_USED_GRAIN_US`] behind.
    #[must_use]
    pub fn last_used_us(&self) -> Option<i64> {
        Some(self.last_used_us.load(Ordering::Relaxed)).filter(|at| *at != 0)
    }

    pub(super) fn used(&self, now_us: i64) {
        // Written once a minute, so that threads do not fight for the cache line on every request.
        if now_us - self.last_used_us.load(Ordering::Relaxed) >= LAST_USED_GRAIN_US {
            self.last_used_us.store(now_us, Ordering::Relaxed);
        }
    }

    pub(super) fn revoke(&self) {
        self.revoked.store(true, Ordering::Release);
    }

    /// Whether both grant the same to the same holder.
    pub(super) fn grants_as(&self, other: &Credential) -> bool {
        let grant = |c: &Credential| {
            (
                c.id,
                c.name.clone(),
                c.principal.clone(),
                c.role,
                c.accounts.clone(),
                c.drawer,
                c.expires_at_us,
                c.hash,
            )
        };
        grant(self) == grant(other)
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("prefix", &self.prefix())
            .field("name", &self.name)
            .field("principal", &self.principal)
            .field("role", &self.role)
            .field("revoked", &self.is_revoked())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A credential of principal "p".
    pub fn credential(role: Role) -> Credential {
        Credential {
            id: Uuid::nil(),
            name: "test".into(),
            principal: "p".into(),
            role,
            accounts: Box::default(),
            drawer: None,
            expires_at_us: None,
            prefix: *b"00000000",
            hash: [0; 32],
            revoked: AtomicBool::new(false),
            last_used_us: AtomicI64::new(0),
            principal_id: OnceLock::new(),
        }
    }

    #[test]
    fn last_used_moves_once_a_minute() {
        let credential = credential(Role::Admin);
        assert_eq!(credential.last_used_us(), None);
        for (now, kept) in
            [(1_000_000_000, 1_000_000_000), (1_059_999_999, 1_000_000_000), (1_060_000_000, 1_060_000_000)]
        {
            credential.used(now);
            assert_eq!(credential.last_used_us(), Some(kept));
        }
    }

    #[test]
    #[should_panic(expected = "principal p has one number in the ledger")]
    fn a_principal_has_one_number() {
        let credential = credential(Role::Admin);
        credential.set_principal_id(1);
        credential.set_principal_id(1);
        credential.set_principal_id(2);
    }

    #[test]
    fn debug_prints_no_hash() {
        assert!(!format!("{:?}", credential(Role::Admin)).contains("hash"));
    }
}
