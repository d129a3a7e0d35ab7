//! Who is asking: the credential behind the bearer token, the ledger's numbers for it, and its quota.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use ledger::{Command, Digest, NameId, PrincipalId, Request};

use super::app::App;
use super::attempts::{Attempt, Attempts, Turned};
use super::problem::Problem;
use crate::books::Unnamed;
use crate::database::Actor;
use crate::identity::{AccountRef, Action, Credential, Denied, Object, allow, sees};
use crate::sequencer::Fault;

/// Marks requests that came over the socket in the data folder.
#[derive(Clone, Copy)]
pub(super) struct Local;

/// Marks requests that were made of messages from a broker.
#[derive(Clone, Copy)]
pub(super) struct Queued;

/// The sender of a request.
#[derive(Clone)]
pub struct Caller {
    /// What may be done with the key.
    pub credential: Arc<Credential>,
    /// Whose intent it is.
    pub principal: PrincipalId,
    /// Who acts.
    pub actor: NameId,
    /// From where.
    pub origin: NameId,
    /// The address, for records outside the books.
    pub address: Option<IpAddr>,
    attempts: Arc<Attempts>,
}

/// A caller who asks for nothing that would be written into the books.
///
/// Who is new is given a number there, which is an event. While nothing can be written (the disk is nearly
/// full, the clock jumped) such a caller goes without one: reading goes on, and an operator who has never
/// called from here before can still confirm the clock.
pub struct Unwritten(pub Caller);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Caller, Problem> {
        let writes = !parts.method.is_safe();
        Caller::identify(parts, app, writes).await
    }
}

impl FromRequestParts<Arc<App>> for Unwritten {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Unwritten, Problem> {
        Caller::identify(parts, app, false).await.map(Unwritten)
    }
}

/// A number in the books; nobody's, if none can be given now and none is needed.
fn numbered(number: Result<NameId, Unnamed>, writes: bool) -> Result<NameId, Unnamed> {
    match number {
        Err(Unnamed::Fault(Fault::DiskFull | Fault::ClockJumped(_))) if !writes => Ok(NameId(0)),
        other => other,
    }
}

impl Caller {
    async fn identify(parts: &mut Parts, app: &Arc<App>, writes: bool) -> Result<Caller, Problem> {
        let inside = (parts.extensions.get::<Local>(), parts.extensions.get::<Queued>());
        let credential = match inside {
            (Some(Local), _) => app.local(),
            (None, Some(Queued)) => app.queue(),
            (None, None) => {
                let header = parts.headers.get(AUTHORIZATION).ok_or_else(Problem::no_credentials)?;
                let bearer = header.to_str().ok().and_then(bearer).ok_or_else(Problem::no_credentials)?;
                let directory = app.service.keys.directory();
                directory.authenticate(bearer, app.now()).map_err(|why| {
                    if let Some(known) = directory.named(bearer) {
                        let (attempts, from) = (Arc::clone(app.attempts()), address(parts, app));
                        let turned = Turned { attempts, who: known, from, attempt: Attempt::Unauthenticated };
                        return Problem::unauthenticated(why).turned(turned);
                    }
                    Problem::unauthenticated(why)
                })?
            }
        };
        let principal = numbered(app.service.principal(&credential).await, writes)?;
        app.service.quota.take(principal.0, 1, app.now()).map_err(Problem::over_quota)?;
        let actor = numbered(app.actor(&credential).await, writes)?;
        let address = address(parts, app);
        let origin = numbered(app.origin(&credential, address).await, writes)?;
        let attempts = Arc::clone(app.attempts());
        Ok(Caller { credential, principal, actor, origin, address, attempts })
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The caller's address; behind a proxy the last one in `X-Forwarded-For`, which is the one that the proxy saw.
fn address(parts: &Parts, app: &App) -> Option<IpAddr> {
    if app.settings.behind_proxy {
        let named = parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        let last = named.and_then(|list| list.rsplit(',').next()).and_then(|text| text.trim().parse().ok());
        if last.is_some() {
            return last;
        }
    }
    parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

impl Caller {
    /// Somebody who acts for one principal, for tests below the router.
    #[cfg(test)]
    pub(super) fn of(credential: Credential, principal: PrincipalId) -> Caller {
        Caller {
            credential: Arc::new(credential),
            principal,
            actor: principal,
            origin: NameId(0),
            address: None,
            attempts: Arc::default(),
        }
    }

    /// Whether the caller may do this.
    ///
    /// # Errors
    /// The problem that says no: 403, or 404 for what is hidden.
    pub fn may(&self, action: Action, object: Object<'_>) -> Result<(), Problem> {
        allow(&self.credential, action, object).map_err(|denied| {
            let problem = Problem::denied(denied);
            if denied != Denied::Forbidden {
                return problem;
            }
            problem.turned(Turned {
                attempts: Arc::clone(&self.attempts),
                who: Arc::clone(&self.credential),
                from: self.address,
                attempt: Attempt::Forbidden(action),
            })
        })
    }

    /// Whether the caller may do this to an account.
    ///
    /// # Errors
    /// As [`Caller::may`].
    pub fn may_on(&self, action: Action, account: AccountRef) -> Result<(), Problem> {
        self.may(action, Object::Account(account))
    }

    /// Whether the caller may see this account and its balances.
    #[must_use]
    pub fn sees(&self, account: ledger::AccountId) -> bool {
        sees(&self.credential, account.0)
    }

    /// A request of this caller, without key or note.
    #[must_use]
    pub fn request(&self, command: Command) -> Request {
        Request { actor: self.actor, origin: self.origin, ..Request::new(command, self.principal) }
    }

    /// Who acts, for records outside the books.
    #[must_use]
    pub fn as_actor(&self) -> Actor {
        let from = self.address.map_or_else(|| "data folder".to_owned(), |address| address.to_string());
        let origin = format!("{from} key:{}", self.credential.prefix());
        Actor::new(&self.credential.principal, &origin)
    }

    /// The claim of a key of this caller's principal.
    #[must_use]
    pub fn claim(&self, key: &str) -> Digest {
        Digest::of_key(self.principal, key)
    }
}
