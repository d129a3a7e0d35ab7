//! `POST /api/v1/webhooks/{id}/secret`: a new secret, shown this once.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::json::Raw;
use crate::http::outbox::refused;
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// How long the old secret signs beside the new one if nobody says.
const OVERLAP: u64 = 86_400;

/// How the secret is replaced.
#[derive(Deserialize, Default, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RotationBody {
    /// For how many seconds the secret before signs as well, 0 to 604800; a day if left out.
    #[schema(example = 86400, minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<u64>,
}

/// A new secret. This is the only time that it is shown.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NewWebhookSecret {
    /// What signatures are checked with.
    #[schema(example = "whsec_…")]
    secret: String,
}

/// Replace a webhook's secret
///
/// Until the overlap ends every message carries two signatures, so that the receiver can change over in its own time.
#[utoipa::path(
    post, path = "/{id}/secret", tag = "webhooks", params(("id" = String, Path, description = "Its id")),
    request_body = Option<RotationBody>,
    responses((status = 200, description = "The new secret", body = NewWebhookSecret), Problems),
    security(("api_key" = []))
)]
pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(text): Path<String>,
    body: Raw,
) -> Result<Json<NewWebhookSecret>, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let body: RotationBody = body.parse_or_default()?;
    let overlap = Duration::from_secs(body.overlap_seconds.unwrap_or(OVERLAP));
    let outbox = &app.service.outbox;
    let secret = outbox.rotate_secret(id(&text)?, overlap, &caller.as_actor(), app.now()).await;
    Ok(Json(NewWebhookSecret { secret: secret.map_err(refused)?.expose() }))
}
