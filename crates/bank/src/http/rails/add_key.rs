//! `POST /api/v1/rails/{rail}/keys`: adds a key to a rail.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{find, not_possible};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::json::Raw;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::http::submit::created;
use crate::http::wire::Clean;
use crate::identity::{Action, Object};
use crate::payments::rail::settings;
use crate::payments::rail::signature::Key;
use crate::sequencer::Fault;

/// A key of a rail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RailKeyBody<'a> {
    /// Its id, 1 to 32 printable characters: every message names it.
    #[serde(borrow)]
    #[schema(example = "2026-11")]
    key_id: Clean<'a>,
    /// `whsec_` and 24 to 64 bytes in base64, if the other side made it; a new one if left out.
    secret: Option<Clean<'a>>,
}

/// A key of a rail. A secret that the bank made is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewRailKey)]
pub(in crate::http) struct Made {
    /// Its id.
    #[schema(example = "2026-11")]
    key_id: String,
    /// The secret, if the bank made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_…")]
    secret: Option<String>,
}

/// Add a key to a rail
///
/// From then on it signs what goes out, and what comes in may be signed by it or by an older one that is not retired:
/// tell the other side first.
#[utoipa::path(
    post, path = "/{rail}/keys", tag = "rails",
    params(("rail" = String, Path, description = "Its name", example = "partner")),
    request_body(content = RailKeyBody, example = json!({"key_id": "2026-11"})),
    responses((status = 201, description = "Added", body = Made), Problems),
    security(("api_key" = []))
)]
pub(super) async fn add_key(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    body: Raw,
) -> Result<Response, Problem> {
    caller.may(Action::ManageRails, Object::Bank)?;
    let body: RailKeyBody = body.parse()?;
    find(&app, &name).await?;
    let id = &*body.key_id.0;
    let printable = id.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if id.is_empty() || id.len() > 32 || !printable {
        return Err(not_possible("A key's id has 1 to 32 printable characters without spaces."));
    }
    let key = match &body.secret {
        Some(secret) => Key::from_text(id, &secret.0),
        None => {
            let mut bytes = vec![0; 32];
            getrandom::fill(&mut bytes).map_err(|error| {
                tracing::error!(%error, "the system gives no randomness");
                Problem::from(Fault::Stopped)
            })?;
            Key::new(id, bytes)
        }
    };
    let key = key.ok_or_else(|| not_possible("A secret is whsec_ and 24 to 64 bytes in base64."))?;
    let added = settings::add_key(&app.service.database, &name, &key, &caller.as_actor(), app.now()).await;
    if !added.map_err(database_failed)? {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "rail_key_known",
            "Key id known",
            "The rail has had a key of this id.",
            "Choose another id; an id stands for one secret, for ever.",
        ));
    }
    let secret = body.secret.is_none().then(|| key.to_text());
    let made = Made { key_id: key.id.clone(), secret };
    Ok(created(&format!("/api/v1/rails/{name}"), &made, false))
}
