//! `POST /api/v1/outbox/{id}/replay`: sends events once more.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refused;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::json::Body;
use crate::http::problem::Problem;
use crate::http::webhooks::id;
use crate::http::wire::SequenceText;
use crate::identity::{Action, Object};
use crate::outbox::Replay;

/// What is to be sent again: one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReplayBody {
    /// These events, by sequence.
    #[schema(value_type = Option<Vec<String>>, example = json!(["123"]))]
    events: Option<Vec<SequenceText>>,
    /// Everything from here on; with `to`.
    #[schema(value_type = Option<String>)]
    from: Option<SequenceText>,
    /// Up to here, this one included; with `from`.
    #[schema(value_type = Option<String>)]
    to: Option<SequenceText>,
    /// true: the dead letters.
    dead_letters: Option<bool>,
}

/// What will be sent again.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Replayed {
    /// How many events; those that are on their way anyway are not counted.
    events: usize,
}

/// Replay events
///
/// By event, by range, or all dead letters; 10,000 at most. They go out like others, before newer events of the
/// same accounts, with the ids that they always had.
#[utoipa::path(
    post, path = "/{id}/replay", tag = "outbox",
    params(("id" = String, Path, description = "The subscription's id")), request_body = ReplayBody,
    responses((status = 200, description = "They will be sent", body = Replayed), Problems),
    security(("api_key" = []))
)]
pub(super) async fn replay(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(text): Path<String>,
    Body(body): Body<ReplayBody>,
) -> Result<Json<Replayed>, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let what = match (body.events, body.from, body.to, body.dead_letters) {
        (Some(events), None, None, None) if !events.is_empty() => {
            Replay::Events(events.iter().map(|id| id.0.0).collect())
        }
        (None, Some(from), Some(to), None) => Replay::Range(from.0.0, to.0.0),
        (None, None, None, Some(true)) => Replay::DeadLetters,
        _ => return Err(Problem::malformed("Send one of: events; from and to; dead_letters: true.")),
    };
    let outbox = &app.service.outbox;
    let replayed = outbox.replay(id(&text)?, what, &caller.as_actor(), app.now()).await;
    Ok(Json(Replayed { events: replayed.map_err(refused)? }))
}
