//! What every endpoint can reach.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use futures::future::join_all;
use ledger::event::NameKind;
use ledger::{AccountId, AccountType, Currency, NameId};
use parking_lot::RwLock;
use uuid::Uuid;

use super::running::Running;
use crate::identity::{AccountRef, Credential};
use crate::sequencer::{Clock, Fault, SystemClock};
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
    facts: RwLock<Vec<Option<Facts>>>,
    local: Arc<Credential>,
    pub(super) running: Running,
}

/// What never changes about an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The currency.
    pub currency: Currency,
    /// A customer's account: a liability with an owner.
    pub of_customer: bool,
}

/// Origins kept at most; a caller with more addresses than that is recorded without one.
const ORIGINS_MAX: usize = 10_000;

/// Questions about accounts that one request has under way at a time; the queue is everybody's.
const LEARNT_AT_ONCE: usize = 1_024;

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
            facts: RwLock::default(),
            local: Arc::new(Credential::local()),
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

    /// What never changes about an account; none if there is no such account.
    ///
    /// # Errors
    /// A [`Fault`] if the books cannot answer.
    pub async fn facts(&self, id: AccountId) -> Result<Option<Facts>, Fault> {
        let index = id.0 as usize;
        if let Some(Some(facts)) = self.facts.read().get(index) {
            return Ok(Some(*facts));
        }
        let Some(view) = self.service.books.account(id).await? else { return Ok(None) };
        let facts = Facts {
            currency: view.account.currency(),
            of_customer: view.account.account_type == AccountType::Liability && view.account.owner.0 != 0,
        };
        let mut known = self.facts.write();
        if known.len() <= index {
            known.resize(index + 1, None);
        }
        known[index] = Some(facts);
        Ok(Some(facts))
    }

    /// Takes in what never changes about these accounts, all in one go. Those that are not there stay unknown.
    ///
    /// # Errors
    /// A [`Fault`] if the books cannot answer.
    pub async fn learn(&self, ids: &[AccountId]) -> Result<(), Fault> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        for some in ids.chunks(LEARNT_AT_ONCE) {
            for found in join_all(some.iter().map(|id| self.facts(*id))).await {
                found?;
            }
        }
        Ok(())
    }

    /// An account as the policy sees it, if that is known already.
    #[must_use]
    pub fn known_ref(&self, id: AccountId) -> Option<AccountRef> {
        let facts = (*self.facts.read().get(id.0 as usize)?)?;
        Some(AccountRef { id: id.0, of_customer: facts.of_customer })
    }

    /// An account as the policy sees it. One that is not there counts as the bank's own.
    ///
    /// # Errors
    /// A [`Fault`] if the books cannot answer.
    pub async fn account_ref(&self, id: AccountId) -> Result<AccountRef, Fault> {
        let of_customer = self.facts(id).await?.is_some_and(|facts| facts.of_customer);
        Ok(AccountRef { id: id.0, of_customer })
    }

    pub(super) async fn actor(&self, credential: &Credential) -> Result<NameId, Fault> {
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
    ) -> Result<NameId, Fault> {
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
