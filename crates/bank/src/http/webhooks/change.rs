//! `PATCH /api/v1/webhooks/{id}`: another name, address or filter; on or off.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{FilterBody, TemplatesBody, id, templates};
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::json::Body;
use crate::http::outbox::{Shown, refused};
use crate::http::problem::Problem;
use crate::identity::{Action, Object};
use crate::outbox::Change;

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct WebhookChange {
    /// What people call it.
    name: Option<String>,
    /// Where events are sent to.
    url: Option<String>,
    /// Which events are wanted.
    filter: Option<FilterBody>,
    /// All templates of notifications, by kind of event; {} for none.
    #[schema(value_type = Option<HashMap<String, String>>)]
    templates: Option<TemplatesBody>,
    /// false: nothing is sent until it is enabled again, and then from where it stopped.
    enabled: Option<bool>,
}

/// Change a webhook
///
/// It holds when this answers. Whose it is and what it may see never changes: register another one.
#[utoipa::path(
    patch, path = "/{id}", tag = "webhooks", params(("id" = String, Path, description = "Its id")),
    request_body = WebhookChange,
    responses((status = 200, description = "The webhook as it is now", body = Shown), Problems),
    security(("api_key" = []))
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(text): Path<String>,
    Body(body): Body<WebhookChange>,
) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let filter = body.filter.map(|filter| filter.filter()).transpose()?;
    let (kinds, accounts) = filter.map(|filter| (filter.kinds, filter.accounts)).unzip();
    let templates = body.templates.map(templates).transpose()?;
    let change = Change { name: body.name, url: body.url, kinds, accounts, templates, enabled: body.enabled };
    let outbox = &app.service.outbox;
    let changed = outbox.change_webhook(id(&text)?, change, &caller.as_actor(), app.now()).await;
    let standing = outbox.read(changed.map_err(refused)?.id).await.map_err(refused)?;
    Ok(Json(Shown::of(standing, app.now())))
}
