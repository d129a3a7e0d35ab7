//! `POST /api/v1/clock/confirm`: an operator has looked at the clock that jumped, and it is right.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::database::{NewAuditRecord, audit};
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Confirm the clock
///
/// After a jump of the wall clock nothing is written until somebody has said that it is right.
#[utoipa::path(
    post, path = "/confirm", tag = "operations",
    responses((status = 204, description = "Writing goes on"), Problems),
    security(("api_key" = []))
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ConfirmClock, Object::Bank)?;
    // Recorded before it counts: a confirmation that nobody signed must not be possible.
    let database = &app.service.database;
    let mut change = database.begin(&caller.as_actor(), app.now()).await.map_err(database_failed)?;
    let record = NewAuditRecord {
        action: "confirm",
        object: "clock",
        object_id: "wall",
        before: None,
        after: Some(serde_json::json!({"wall_us": app.now()})),
    };
    let recorded = audit::record(&mut change, &record).await;
    recorded.map_err(|error| database_failed(database.fault(error)))?;
    change.commit().await.map_err(database_failed)?;
    app.service.books.confirm_clock().await?;
    Ok(StatusCode::NO_CONTENT)
}
