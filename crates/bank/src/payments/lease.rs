//! One driver at a time for a bank database: whoever holds the lease. A service that dies lets it run out; its next life on
//! the same folder takes it again at once.
//!
//! Two that drive for a moment do no harm (the same keys, the same references, versions that are compared); the
//! lease keeps them from doing everything twice.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

use ledger::Digest;

use crate::database::{Database, DatabaseError};

/// Where Linux names the run of its kernel: another machine, and the same one started anew, has another.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// Who may hold the lease: a service, in all its lives on one folder.
///
/// It is not kept anywhere, so that it cannot be copied: it names the locked file of the folder itself, and the kernel
/// that keeps the lock. Whoever lives and has the same would have locked the same file. A copy of the folder is another
/// file; on another machine it is another kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder([u8; 16]);

impl Holder {
    /// The service that has locked this file for itself alone.
    ///
    /// # Errors
    /// The file cannot be looked at, or the system gives no randomness.
    pub fn of(lock: &File) -> std::io::Result<Holder> {
        let file = lock.metadata()?;
        let boot = match std::fs::read(BOOT) {
            Ok(boot) => boot,
            // A kernel that has no name: somebody new in each life, who waits for the last one's lease.
            Err(_) => {
                let mut random = [0; 16];
                getrandom::fill(&mut random).map_err(std::io::Error::other)?;
                random.to_vec()
            }
        };
        let parts: [&[u8]; 4] =
            [b"payments driver", &file.dev().to_be_bytes(), &file.ino().to_be_bytes(), &boot];
        Ok(Holder(Digest::over(&parts).0))
    }
}

/// How long a lease lasts, µs. Renewed at a third of it.
pub(super) const LEASE_US: i64 = 15_000_000;

/// A claim to the lease.
pub(super) struct Lease {
    holder: Holder,
    renew_at: i64,
    held: bool,
}

impl Lease {
    /// Of this service.
    pub(super) fn new(holder: Holder) -> Lease {
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
        .bind(self.holder.0.to_vec())
        .bind(now_us + LEASE_US)
        .bind(self.holder.0.to_vec())
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
        let (mut one, mut other) = (Lease::new(Holder([1; 16])), Lease::new(Holder([2; 16])));
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

    /// A service that was killed once waited a quarter of a minute for its own lease.
    #[tokio::test]
    async fn the_next_life_of_the_same_service_takes_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::create(&folder.path().join("bank.db"), [7; 16], 1).await.unwrap();
        let path = folder.path().join("lock");
        let life = || Holder::of(&File::options().create(true).append(true).open(&path).unwrap()).unwrap();
        let start = 1_000_000_000;
        assert!(Lease::new(life()).is_ours(&database, start).await.unwrap());
        assert!(!Lease::new(Holder([2; 16])).is_ours(&database, start + 1).await.unwrap());
        assert!(Lease::new(life()).is_ours(&database, start + 1).await.unwrap());
        database.close().await;
    }

    /// A data folder that was copied, lock and all, is another service: both may live.
    #[test]
    fn a_copy_of_the_folder_is_somebody_else() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, copied) = (folder.path().join("lock"), copy.path().join("lock"));
        std::fs::write(&path, "The books of this bank are elsewhere.").unwrap();
        std::fs::copy(&path, &copied).unwrap();
        let holder = |path| Holder::of(&File::open(path).unwrap()).unwrap();
        assert_ne!(holder(&path), holder(&copied));
        // A file that is put in its place is another one too: whoever locked the first may still live.
        let first = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::copy(&copied, &path).unwrap();
        assert_ne!(Holder::of(&first).unwrap(), holder(&path));
    }
}
