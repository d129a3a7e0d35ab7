//! `POST /api/v1/webhooks/{id}/test`: a message of which nothing happened, to see whether messages arrive.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::id;
use crate::http::app::App;
use crate::http::caller::Unwritten;
use crate::http::documented::Problems;
use crate::http::outbox::{Delivery, refused};
use crate::http::problem::Problem;
use crate::identity::{Action, Object};

/// Send a test message
///
/// A CloudEvent of type bankcore.test, once, now, also to a webhook that is disabled, with what its templates make of an
/// example. Answers what came of it.
#[utoipa::path(
    post, path = "/{id}/test", tag = "webhooks", params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "What came of it", body = Delivery), Problems),
    security(("api_key" = []))
)]
pub(super) async fn test(
    State(app): State<Arc<App>>,
    Unwritten(caller): Unwritten,
    Path(text): Path<String>,
) -> Result<Json<Delivery>, Problem> {
    caller.may(Action::ManageOutbox, Object::Bank)?;
    let tried = app.service.outbox.test_webhook(id(&text)?).await.map_err(refused)?;
    Ok(Json(Delivery::of(tried, app.service.identity)))
}
