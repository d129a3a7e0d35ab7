//! Refused attempts, for the audit trail: who was turned away, how often, and from where.
//!
//! Noted in memory on the way of the request and written once in a while beside it, one record for each kind
//! of attempt with its count. So a flood of them costs neither time nor disk, and is still told.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use uuid::Uuid;

use super::app::App;
use crate::database::{Actor, NewAuditRecord, audit};
use crate::identity::Credential;

/// How often they are written.
const EVERY: Duration = Duration::from_secs(5);

/// Kinds of attempts between two writings; more are counted together.
const KINDS_MAX: usize = 64;

/// What kind of attempt it was.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Attempt {
    /// A key whose prefix is known, with a wrong secret or too late: 401.
    Unauthenticated,
    /// Something that the key may not do: 403.
    Forbidden(crate::identity::Action),
}

/// An attempt that counts when the answer goes out: what is asked on the way to a yes is none.
#[derive(Clone)]
pub(super) struct Turned {
    pub(super) attempts: Arc<Attempts>,
    pub(super) who: Arc<Credential>,
    pub(super) from: Option<IpAddr>,
    pub(super) attempt: Attempt,
}

impl Turned {
    /// The answer goes out.
    pub(super) fn away(&self) {
        self.attempts.note(&self.who, self.from, self.attempt);
    }
}

impl fmt::Debug for Turned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.attempt, f)
    }
}

/// Attempts that are not written yet.
#[derive(Default)]
pub(super) struct Attempts {
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    kinds: HashMap<(Uuid, Attempt), Seen>,
    /// Notices that were turned away: of which rail, why, from where last, and how often.
    notices: HashMap<(String, &'static str), (Option<IpAddr>, u64)>,
    others: u64,
}

struct Seen {
    who: Arc<Credential>,
    from: Option<IpAddr>,
    times: u64,
}

impl Attempts {
    /// Notes an attempt.
    fn note(&self, who: &Arc<Credential>, from: Option<IpAddr>, attempt: Attempt) {
        let mut noted = self.noted.lock();
        if let Some(seen) = noted.kinds.get_mut(&(who.id, attempt)) {
            seen.times += 1;
            seen.from = from;
        } else if noted.kinds.len() < KINDS_MAX {
            noted.kinds.insert((who.id, attempt), Seen { who: Arc::clone(who), from, times: 1 });
        } else {
            noted.others += 1;
        }
    }
}

impl App {
    /// A notice in the name of a rail is turned away.
    pub(super) fn turn_notice(&self, rail: &str, why: &'static str, from: Option<IpAddr>) {
        let noted = &mut *self.attempts().noted.lock();
        let key = (rail.to_owned(), why);
        if noted.notices.len() < KINDS_MAX || noted.notices.contains_key(&key) {
            let (last, times) = noted.notices.entry(key).or_default();
            (*last, *times) = (from, *times + 1);
        } else {
            noted.others += 1;
        }
    }

    /// Writes refused attempts into the audit trail, for ever.
    pub(super) async fn record_attempts(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.flush_attempts().await;
        }
    }

    /// Writes the attempts that were noted since the last time.
    pub async fn flush_attempts(&self) {
        let noted = std::mem::take(&mut *self.attempts().noted.lock());
        if noted.kinds.is_empty() && noted.notices.is_empty() && noted.others == 0 {
            return;
        }
        if let Err(error) = self.write_attempts(&noted).await {
            tracing::error!(%error, kinds = noted.kinds.len(), "refused attempts were not recorded");
        }
    }

    async fn write_attempts(&self, noted: &Noted) -> Result<(), crate::database::DatabaseError> {
        let database = &self.service.database;
        for ((id, attempt), seen) in &noted.kinds {
            let origin = seen.from.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            // Who had the wrong secret is not known; only which key was tried.
            let (who, what) = match attempt {
                Attempt::Unauthenticated => ("unauthenticated", "authenticate".to_owned()),
                Attempt::Forbidden(action) => (&*seen.who.principal, format!("{action:?}")),
            };
            let actor = Actor::new(who, &origin);
            let detail = json!({"attempt": what, "prefix": seen.who.prefix(), "times": seen.times});
            self.write_attempt(
                database,
                &actor,
                ("refused_attempt", "api_key", &id.simple().to_string()),
                detail,
            )
            .await?;
        }
        for ((rail, why), (from, times)) in &noted.notices {
            let origin = from.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
            let detail = json!({"why": why, "times": times});
            let actor = Actor::new("unauthenticated", &origin);
            self.write_attempt(database, &actor, ("refused_notice", "rail", rail), detail).await?;
        }
        if noted.others > 0 {
            let detail = json!({"attempt": "others", "times": noted.others});
            let several = ("refused_attempt", "api_key", "several");
            self.write_attempt(database, &Actor::new("several", "several"), several, detail).await?;
        }
        Ok(())
    }

    async fn write_attempt(
        &self,
        database: &crate::database::Database,
        actor: &Actor,
        (action, object, object_id): (&str, &str, &str),
        detail: serde_json::Value,
    ) -> Result<(), crate::database::DatabaseError> {
        let mut change = database.begin(actor, self.now()).await?;
        let record = NewAuditRecord { action, object, object_id, before: None, after: Some(detail) };
        audit::record(&mut change, &record).await.map_err(|error| database.fault(error))?;
        change.commit().await
    }
}
