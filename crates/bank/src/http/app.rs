//! What every endpoint can reach.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use ledger::event::NameKind;
use ledger::{AccountId, NameId};
use parking_lot::RwLock;
use uuid::Uuid;

use super::running::Running;
use crate::books::{Facts, Unnamed};
use crate::identity::{AccountRef, Credential};
use crate::sequencer::{Clock, SystemClock};
use crate::service::Service;

/// How the interface behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest body of a single request; batches may be four times as large.
    pub body_bytes_max: usize,
    /// A proxy in front ends TLS and names the caller's address in `X-Forwarded-For`.
    pub behind_proxy: bool,
    /// TLS is spoken here.
    pub tls: bool,
}

/// What every endpoint can reach.
pub struct App {
    /// The bank.
    pub service: Arc<Service>,
    /// How the interface behaves.
    pub settings: Settings,
    names: Names,
    local: Arc<Credential>,
    queue: Arc<Credential>,
    pub(super) running: Running,
}

/// Origins kept at most; a caller with more addresses than that is recorded without one.
const ORIGINS_MAX: usize = 10_000;

#[derive(Default)]
struct Names {
    actors: RwLock<HashMap<Uuid, NameId>>,
    origins: RwLock<HashMap<(Uuid, IpAddr), NameId>>,
}

impl App {
    /// Around a running bank.
    #[must_use]
    pub fn new(service: Arc<Service>, settings: Settings) -> Arc<App> {
        Arc::new(App {
            service,
            settings,
            names: Names::default(),
            local: Arc::new(Credential::local()),
            queue: Arc::new(Credential::queue()),
            running: Running::default(),
        })
    }

    /// Microseconds since 1970, for credentials and quotas; the books have their own stamp.
    #[must_use]
    pub fn now(&self) -> i64 {
        SystemClock::new().wall()
    }

    pub(super) fn local(&self) -> Arc<Credential> {
        Arc::clone(&self.local)
    }

    pub(super) fn queue(&self) -> Arc<Credential> {
        Arc::clone(&self.queue)
    }

    /// What never changes about an account; none if there is no such account.
    #[must_use]
    pub fn facts(&self, id: AccountId) -> Option<Facts> {
        self.service.books.reads().facts(id)
    }

    /// An account as the policy sees it. One that is not there counts as the bank's own.
    #[must_use]
    pub fn account_ref(&self, id: AccountId) -> AccountRef {
        let of_customer = self.facts(id).is_some_and(|facts| facts.of_customer);
        AccountRef { id: id.0, of_customer }
    }

    pub(super) async fn actor(&self, credential: &Credential) -> Result<NameId, Unnamed> {
        if let Some(id) = self.names.actors.read().get(&credential.id) {
            return Ok(*id);
        }
        let text = format!("key:{}", credential.prefix());
        let id = self.service.books.intern(NameKind::Actor, &text).await?;
        self.names.actors.write().insert(credential.id, id);
        Ok(id)
    }

    pub(super) async fn origin(
        &self,
        credential: &Credential,
        address: Option<IpAddr>,
    ) -> Result<NameId, Unnamed> {
        let Some(address) = address else { return Ok(NameId(0)) };
        let key = (credential.id, address);
        {
            let origins = self.names.origins.read();
            if let Some(id) = origins.get(&key) {
                return Ok(*id);
            }
            if origins.len() >= ORIGINS_MAX {
                return Ok(NameId(0));
            }
        }
        let text = format!("{address} key:{}", credential.prefix());
        let id = self.service.books.intern(NameKind::Origin, &text).await?;
        self.names.origins.write().insert(key, id);
        Ok(id)
    }
}
