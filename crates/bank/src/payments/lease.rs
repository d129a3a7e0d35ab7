//! One driver at a time for a bank database: whoever holds the lease. A service that dies lets it run out.
//!
//! Two that drive for a moment do no harm (the same keys, the same references, versions that are compared); the
//! lease keeps them from doing everything twice.

use crate::database::{Database, DatabaseError};

/// How long a lease lasts, µs. Renewed at a third of it.
pub(super) const LEASE_US: i64 = 15_000_000;

/// A claim to the lease.
pub(super) struct Lease {
    holder: [u8; 16],
    renew_at: i64,
    held: bool,
}

impl Lease {
    /// Of a service with this id of its own.
    pub(super) fn new(holder: [u8; 16]) -> Lease {
        Lease { holder, renew_at: 0, held: false }
    }

    /// Whether this service is the one that drives.
    pub(super) async fn is_ours(&mut self, database: &Database, now_us: i64) -> Result<bool, DatabaseError> {
        if now_us < self.renew_at {
            return Ok(self.held);
        }
        let done = sqlx::query(
            "UPDATE drivers SET holder = ?, until = ? WHERE name = 'payments' AND (holder = ? OR until < ?)",
        )
        .bind(self.holder.to_vec())
        .bind(now_us + LEASE_US)
        .bind(self.holder.to_vec())
        .bind(now_us)
        .execute(database.pool())
        .await
        .map_err(|error| database.fault(error))?;
        self.held = done.rows_affected() == 1;
        self.renew_at = now_us + LEASE_US / 3;
        Ok(self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_holds_it_until_it_does_not_renew() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create(&folder.path().join("bank.db"), [7; 16], 1).await.unwrap();
        let (mut one, mut other) = (Lease::new([1; 16]), Lease::new([2; 16]));
        let start = 1_000_000_000;
        assert!(one.is_ours(&database, start).await.unwrap());
        assert!(!other.is_ours(&database, start).await.unwrap());
        assert!(one.is_ours(&database, start + LEASE_US / 2).await.unwrap(), "renewed");
        assert!(
            !other.is_ours(&database, start + LEASE_US + LEASE_US / 2).await.unwrap(),
            "to the end of it"
        );
        assert!(other.is_ours(&database, start + 2 * LEASE_US).await.unwrap(), "then it is the other's");
        assert!(!one.is_ours(&database, start + 2 * LEASE_US).await.unwrap());
        database.close().await;
    }
}
