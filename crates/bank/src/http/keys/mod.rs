//! `/api/v1/keys`: API keys, for those who manage them.

mod create;
mod list;
mod revoke;
mod shown;

use std::sync::Arc;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use crate::database::DatabaseError;
use crate::identity::KeyError;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(create::create))
        .routes(routes!(revoke::revoke))
}

/// Why a key was not made or revoked.
fn refused(error: KeyError) -> Problem {
    match error {
        KeyError::NotFound => Problem::not_found("There is no such API key."),
        KeyError::Database(error) => database_failed(error),
        KeyError::Name
        | KeyError::NoAccounts
        | KeyError::AccountsNotUsed
        | KeyError::DrawerNotUsed
        | KeyError::AccountId(_)
        | KeyError::ExpiresInThePast => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "key_not_possible",
            "Such a key is not possible",
            format!("{error}."),
            "Correct the wish for the key.",
        ),
    }
}

/// The bank database cannot be used. Its place is for the operator's log, not for callers.
pub(in crate::http) fn database_failed(error: DatabaseError) -> Problem {
    tracing::error!(%error, "the bank database failed");
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "database_failed",
        "The bank database failed",
        "Keys and records of the audit trail cannot be read or written now.",
        "Tell the operator: the log names the cause. Then send the request again.",
    )
    .retry_after(Some(30))
}
