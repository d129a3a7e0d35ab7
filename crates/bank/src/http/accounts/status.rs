//! `POST /api/v1/accounts/{id}/freeze`, `unfreeze`, `activate` and `close`: one change with four names.
//!
//! The ledger knows "becomes active"; a caller who says *unfreeze* means a frozen account, one who says
//! *activate* a pending one. So the account is looked at first, and the change is made on the version that
//! was seen, or not at all.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::refusal::{Code, Refusal};
use ledger::{AccountId, Command, Request, Status};
use serde::Deserialize;
use utoipa::ToSchema;

use super::changed;
use crate::books::Decided;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyOptional, Problems, VersionOptional};
use crate::http::headers::{ExpectedVersion, IdempotencyKey};
use crate::http::json::Raw;
use crate::http::path::AccountPath;
use crate::http::problem::Problem;
use crate::http::submit::{accepted, decide, note};
use crate::http::wire::{Account, Clean};
use crate::identity::Action;

/// Why the status changes.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReasonBody<'a> {
    /// Kept in the event, at most 512 bytes.
    #[serde(borrow)]
    #[schema(example = "Court order 17/2026")]
    reason: Option<Clean<'a>>,
}

/// What every one of the four is given.
type Given = (Option<IdempotencyKey>, Option<ExpectedVersion>, Raw);

/// A step of an account's status.
struct Step {
    action: Action,
    /// The status that it leaves, where the ledger's rule alone would take others too.
    from: Option<Status>,
    to: Status,
}

/// How often a change is tried again that met another one.
const TRIES: usize = 8;

impl Step {
    async fn take(
        self,
        app: &App,
        caller: &Caller,
        id: AccountId,
        (key, expected, body): Given,
    ) -> Result<Response, Problem> {
        let body: ReasonBody = body.parse_or_default()?;
        caller.may_on(self.action, app.account_ref(id))?;
        let command = Command::ChangeAccount {
            account: id,
            status: Some(self.to),
            overdraft_limit: None,
            expected_version: expected.map(|version| version.0),
        };
        let mut request = caller.request(command);
        request.note = note(None, body.reason.as_ref());
        let decided = match self.from {
            None => decide(app, caller, key.as_ref(), request).await?,
            Some(from) => self.take_from(from, app, caller, id, key.as_ref(), request).await?,
        };
        let (_, replayed) = accepted(decided)?;
        changed(app, id, replayed).await
    }

    async fn take_from(
        &self,
        from: Status,
        app: &App,
        caller: &Caller,
        id: AccountId,
        key: Option<&IdempotencyKey>,
        request: Request,
    ) -> Result<Decided, Problem> {
        // The fingerprint is of what the caller asked for, not of the version that is looked up here.
        let request = sealed(request, key, caller);
        for _ in 0..TRIES {
            let mut request = request.clone();
            let Command::ChangeAccount { expected_version, .. } = &mut request.command else { break };
            let named = expected_version.is_some();
            let view = app.service.books.account(id).await?;
            let fits = view.as_ref().is_some_and(|view| view.account.status == from);
            match &view {
                // No account stands at version 0. It is submitted all the same: a replay must find its answer.
                Some(_) if !fits => *expected_version = Some(0),
                Some(view) if !named => *expected_version = Some(view.account.version),
                _ => {}
            }
            let decided = app.service.books.submit(request).await?;
            let differs = matches!(
                &decided,
                Decided::Refused { refusal, .. } if refusal.code == Code::VersionDiffers
            );
            if differs && !fits {
                let refusal = Refusal::new(Code::StatusNotReachable).on(id);
                return Ok(Decided::Refused { refusal, replayed: false, event: None });
            }
            if !differs || named {
                return Ok(decided);
            }
        }
        Err(crate::sequencer::Fault::Overloaded.into())
    }
}

fn sealed(request: Request, key: Option<&IdempotencyKey>, caller: &Caller) -> Request {
    request.with_key(key.map_or(ledger::Digest::NONE, |key| caller.claim(&key.0)))
}

/// The endpoint of a step. The four differ in what they are called and told, and in the step.
macro_rules! endpoint {
    ($(#[$told:meta])* $name:ident at $path:literal because $reason:literal: $step:expr) => {
        $(#[$told])*
        #[utoipa::path(
            post, path = $path, tag = "accounts",
            params(
                ("id" = String, Path, description = "The account", example = "101"), KeyOptional, VersionOptional,
            ),
            request_body(content = Option<ReasonBody>, example = json!({"reason": $reason})),
            responses(
                (status = 200, description = "Done; the account as it stands, its version in ETag", body = Account),
                Problems,
            ),
            security(("api_key" = []))
        )]
        pub(in crate::http) async fn $name(
            State(app): State<Arc<App>>,
            caller: Caller,
            AccountPath(id): AccountPath,
            key: Option<IdempotencyKey>,
            version: Option<ExpectedVersion>,
            body: Raw,
        ) -> Result<Response, Problem> {
            $step.take(&app, &caller, id, (key, version, body)).await
        }
    };
}

endpoint! {
    /// Freeze an account
    ///
    /// No ordinary entries on either side until it is unfrozen; reversals pass, holds can be voided.
    freeze at "/{id}/freeze" because "Court order 17/2026":
    Step { action: Action::Freeze, from: None, to: Status::Frozen }
}

endpoint! {
    /// Unfreeze an account
    ///
    /// A frozen account takes entries again.
    unfreeze at "/{id}/unfreeze" because "Court order lifted":
    Step { action: Action::Unfreeze, from: Some(Status::Frozen), to: Status::Active }
}

endpoint! {
    /// Activate an account
    ///
    /// A pending account takes entries from now on.
    activate at "/{id}/activate" because "Papers checked":
    Step { action: Action::Unfreeze, from: Some(Status::Pending), to: Status::Active }
}

endpoint! {
    /// Close an account
    ///
    /// Final: it must be empty and without holds, and takes no entries ever again.
    close at "/{id}/close" because "Customer's wish":
    Step { action: Action::CloseAccount, from: None, to: Status::Closed }
}
