//! An API key as lists show it: never with its secret.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::time;
use crate::identity::KeyInfo;

/// An API key, without anything secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(in crate::http) struct Shown {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    id: String,
    /// The 8 characters after `bck_`, by which people name it.
    #[schema(example = "7k2m9x4q")]
    prefix: String,
    /// What its maker called it.
    #[schema(example = "Branch 1, window 3")]
    name: String,
    /// Whose intent its requests are.
    #[schema(example = "branch-1")]
    principal: String,
    /// admin, banker, operations, auditor or customer.
    #[schema(example = "banker")]
    role: &'static str,
    /// live, expired or revoked.
    #[schema(example = "live")]
    status: &'static str,
    /// The accounts that a customer may see.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    /// A banker's own cash account.
    #[serde(skip_serializing_if = "Option::is_none")]
    drawer_account_id: Option<String>,
    /// When it was made.
    created_at: String,
    /// By whom.
    #[schema(example = "local")]
    created_by: String,
    /// From when on it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Since when it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// When it was last used, a minute more or less.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

impl Shown {
    /// A key as it stands at a moment.
    pub(super) fn of(key: KeyInfo, now_us: i64) -> Shown {
        let expired = key.expires_at_us.is_some_and(|end| end <= now_us);
        let status = match key.revoked_at_us {
            Some(_) => "revoked",
            None if expired => "expired",
            None => "live",
        };
        Shown {
            id: key.id.to_string(),
            prefix: key.prefix,
            name: key.name,
            principal: key.principal,
            role: key.role.name(),
            status,
            accounts: key.accounts.iter().map(ToString::to_string).collect(),
            drawer_account_id: key.drawer.map(|id| id.to_string()),
            created_at: time(key.created_at_us),
            created_by: key.created_by,
            expires_at: key.expires_at_us.map(time),
            revoked_at: key.revoked_at_us.map(time),
            last_used_at: key.last_used_us.map(time),
        }
    }
}
