//! `POST /api/v1/balance-breaks/{id}/close`: a person has looked, and says what became of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use super::shown::Shown;
use crate::database::{NewAuditRecord, audit};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::json::Body;
use crate::http::keys::database_failed;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};
use crate::store::mysql::Closed;

/// Bytes of a reason, at most.
const REASON_MAX: usize = 512;

/// Why it is closed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CloseBody {
    /// What became of it, 1 to 512 bytes.
    #[schema(example = "The row was put right from the backup of Monday; case 17")]
    reason: String,
}

/// Close a balance break
///
/// Changes no balance: what corrects the books is a command like any other, and a frozen account is unfrozen like any
/// other. A row that is still wrong is found again when it is next used. Closing again changes nothing.
#[utoipa::path(
    post, path = "/{id}/close", tag = "operations", request_body = CloseBody,
    params(("id" = String, Path, description = "The finding", example = "3")),
    responses((status = 200, description = "Closed", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn close_break(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
    Body(body): Body<CloseBody>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::CloseBreak, Object::Bank)?;
    let reason = reason(&body.reason)?;
    let missing = || Problem::not_found("There is no such balance break.");
    let breaks = app.service.books.reads().breaks().ok_or_else(missing)?;
    let found = breaks.find(id.0).await?.ok_or_else(missing)?;
    if found.closed.is_none() {
        // Recorded before it counts: a finding that nobody signed off must not vanish.
        let database = &app.service.database;
        let mut change = database.begin(&caller.as_actor(), app.now()).await.map_err(database_failed)?;
        let record = NewAuditRecord {
            action: "close",
            object: "balance_break",
            object_id: &id.to_string(),
            before: None,
            after: Some(serde_json::json!({"reason": reason})),
        };
        let recorded = audit::record(&mut change, &record).await;
        recorded.map_err(|error| database_failed(database.fault(error)))?;
        change.commit().await.map_err(database_failed)?;
        let by = caller.credential.principal.to_string();
        breaks.close(id.0, &Closed { at_us: app.now(), by, reason: reason.to_owned() }).await?;
    }
    let found = breaks.find(id.0).await?.ok_or_else(missing)?;
    Shown::of(&app, found).map(Json)
}

fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.len() > REASON_MAX || text.chars().any(char::is_control) {
        return Err(Problem::malformed(format!(
            "reason says in 1 to {REASON_MAX} bytes what became of it, without control characters."
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_a_limit_and_says_something() {
        assert!(reason(&"x".repeat(REASON_MAX)).is_ok());
        for text in ["", " \t ", &"x".repeat(REASON_MAX + 1), "a\nb"] {
            assert!(reason(text).is_err(), "{text:?}");
        }
    }
}
