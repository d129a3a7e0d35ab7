//! `POST /api/v1/holds/{id}/void`: gives held funds back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use ledger::{Command, Sequence};
use serde::Deserialize;
use utoipa::ToSchema;

use super::end_accepted;
use super::read::show;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::http::submit::{decide, mark, note};
use crate::http::wire::{Clean, Hold};

/// Why a hold is given up.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct VoidBody<'a> {
    /// Free text, at most 512 bytes.
    #[serde(borrow)]
    pub(in crate::http) description: Option<Clean<'a>>,
    /// Your business name for it, at most 128 bytes.
    pub(in crate::http) reference: Option<Clean<'a>>,
}

impl VoidBody<'_> {
    /// Checks the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(
        &self,
        hold: Sequence,
        making: &Making<'_>,
    ) -> Result<ledger::Request, Problem> {
        making.hold_to_end(hold)?;
        let mut request = making.caller.request(Command::Void { hold });
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        Ok(request)
    }
}

/// Void a hold
///
/// Gives the reserved funds back; nothing is posted. Neither a freeze nor a closed business day stops it.
#[utoipa::path(
    post, path = "/{id}/void", tag = "holds",
    params(("id" = String, Path, description = "The hold", example = "123"), KeyRequired),
    request_body(content = VoidBody, example = json!({"description": "Order cancelled"})),
    responses(
        (status = 200, description = "Given back", body = Hold),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn void(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: VoidBody = body.parse_or_default()?;
    let request = body.request(id, &Making::new(&app, &caller))?;
    let decided = decide(&app, &caller, Some(&key), request).await?;
    let (event, replayed) = end_accepted(&app, id, decided).await?;
    let mut response = Json(show(&app, id, Some(&event))?).into_response();
    mark(&mut response, replayed);
    Ok(response)
}
