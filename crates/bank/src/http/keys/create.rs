//! `POST /api/v1/keys`: makes an API key and shows it, this once.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::refusal::{Code, Refusal};
use ledger::{AccountId, AccountType};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refused;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::json::Body;
use crate::http::problem::Problem;
use crate::http::submit::created;
use crate::http::wire::{AccountIdText, parse_time, time};
use crate::identity::{Action, KeyMaterial, NewKey, Object, PrincipalName, Role};
use crate::sequencer::AccountView;

/// A wish for an API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct KeyBody {
    /// What people call it, 1 to 100 characters.
    #[schema(example = "Alice's phone")]
    name: String,
    /// Whose intent its requests are: 1 to 64 characters out of A-Z a-z 0-9 . _ : -
    #[schema(example = "customer:alice")]
    principal: String,
    /// admin, banker, operations, auditor or customer.
    #[schema(example = "customer")]
    role: String,
    /// The accounts that a customer may see and pay from; for customers only, and then at least one.
    #[serde(default)]
    #[schema(value_type = Vec<String>, example = json!(["101"]))]
    accounts: Vec<AccountIdText>,
    /// The cash account of a banker; for bankers only.
    #[schema(value_type = Option<String>)]
    drawer_account_id: Option<AccountIdText>,
    /// From when on it is dead, RFC 3339; never if left out.
    expires_at: Option<String>,
}

/// A new API key. This is the only time that it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey)]
pub(in crate::http) struct Made {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    id: String,
    /// The 8 characters after `bck_`, by which people name it.
    #[schema(example = "7k2m9x4q")]
    prefix: String,
    /// The key itself: what goes after `Authorization: Bearer`. It is kept nowhere.
    #[schema(example = "bck_7k2m9x4q_…")]
    key: String,
    /// What people call it.
    name: String,
    /// Whose intent its requests are.
    principal: String,
    /// Its role.
    role: &'static str,
    /// From when on it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// Make an API key
///
/// The key is in the answer and never again. After a lost answer revoke it by its name and make another.
#[utoipa::path(
    post, path = "", tag = "keys", request_body = KeyBody,
    responses((status = 201, description = "The key", body = Made), Problems),
    security(("api_key" = []))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Body(body): Body<KeyBody>,
) -> Result<Response, Problem> {
    caller.may(Action::ManageKeys, Object::Bank)?;
    let new = body.wish()?;
    check(&app, &new).await?;
    let material = KeyMaterial::from_system().map_err(|error| {
        tracing::error!(%error, "the system gives no randomness");
        Problem::from(crate::sequencer::Fault::Stopped)
    })?;
    let made = app.service.keys.create_key(new, &caller.as_actor(), &material, app.now()).await;
    let (credential, secret) = made.map_err(refused)?;
    let answer = Made {
        id: credential.id.to_string(),
        prefix: credential.prefix().to_owned(),
        key: secret.expose().to_owned(),
        name: credential.name.to_string(),
        principal: credential.principal.to_string(),
        role: credential.role.name(),
        expires_at: credential.expires_at_us.map(time),
    };
    Ok(created(&format!("/api/v1/keys/{}", credential.id), &answer, false))
}

impl KeyBody {
    fn wish(self) -> Result<NewKey, Problem> {
        let role: Role = self.role.parse().map_err(|why| Problem::malformed(format!("role: {why}.")))?;
        let principal: PrincipalName =
            self.principal.parse().map_err(|why| Problem::malformed(format!("principal: {why}.")))?;
        let expires_at = self.expires_at.as_deref();
        Ok(NewKey {
            name: self.name,
            principal,
            role,
            accounts: self.accounts.iter().map(|id| id.0.0).collect(),
            drawer: self.drawer_account_id.map(|id| id.0.0),
            expires_at_us: expires_at.map(|text| parse_time("expires_at", text)).transpose()?,
        })
    }
}

/// All accounts are there, and the drawer is cash of the bank: a key for something else would only fail later.
async fn check(app: &App, new: &NewKey) -> Result<(), Problem> {
    let ids: Box<[AccountId]> = new.accounts.iter().chain(&new.drawer).copied().map(AccountId).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let most = crate::identity::keys::new_key::ACCOUNTS_MAX;
    if ids.len() > most + 1 {
        return Err(Problem::malformed(format!("A key names at most {most} accounts.")));
    }
    let found = app.service.books.accounts_by_id(ids.clone()).await?;
    let of = |id: AccountId| found.iter().find(|view| view.id == id);
    if let Some(missing) = ids.iter().find(|id| of(**id).is_none()) {
        return Err(Problem::refused(&Refusal::new(Code::UnknownAccount).on(*missing), false));
    }
    let cash =
        |view: &AccountView| view.account.account_type == AccountType::Asset && view.account.owner.0 == 0;
    match new.drawer.map(AccountId) {
        Some(drawer) if !of(drawer).is_some_and(cash) => {
            Err(Problem::refused(&Refusal::new(Code::WrongAccountType).on(drawer), false))
        }
        _ => Ok(()),
    }
}
