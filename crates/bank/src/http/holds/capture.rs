//! `POST /api/v1/holds/{id}/capture`: posts held funds, whole or in part.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::{Command, Sequence};
use serde::Deserialize;
use utoipa::ToSchema;

use super::end_accepted;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::http::submit::{decide, note, posted};
use crate::http::wire::{AccountIdText, Amount, Clean, Transaction, value_date};

/// How much of a hold is posted, and to whom.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct CaptureBody<'a> {
    /// How much, above zero and within the hold; all of it if absent. The rest is released.
    #[serde(borrow)]
    pub(in crate::http) amount: Option<Amount<'a>>,
    /// Who gets it; needed if the hold does not say.
    pub(in crate::http) to_account_id: Option<AccountIdText>,
    /// Free text for the statement, at most 512 bytes.
    pub(in crate::http) description: Option<Clean<'a>>,
    /// Your business name for it, searchable, at most 128 bytes.
    pub(in crate::http) reference: Option<Clean<'a>>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    pub(in crate::http) value_date: Option<Clean<'a>>,
}

impl CaptureBody<'_> {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(
        &self,
        hold: Sequence,
        making: &Making<'_>,
    ) -> Result<ledger::Request, Problem> {
        let placed = making.hold_to_end(hold)?;
        let currency = placed.entries[0].currency;
        let amount = self.amount.as_ref().map(|amount| amount.positive("amount", currency)).transpose()?;
        let to = self.to_account_id.map(|id| id.0);
        let mut request = making.caller.request(Command::Capture { hold, amount, to });
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        request.value = value_date(self.value_date.as_ref())?;
        Ok(request)
    }
}

/// Capture a hold
///
/// Posts the held funds, whole or in part; the rest is released. That ends the hold.
#[utoipa::path(
    post, path = "/{id}/capture", tag = "holds",
    params(("id" = String, Path, description = "The hold", example = "123"), KeyRequired),
    request_body(content = CaptureBody, example = json!({"amount": "450.00", "reference": "CLR-9"})),
    responses(
        (status = 201, description = "Posted; the header Location names the transaction", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn capture(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: CaptureBody = body.parse_or_default()?;
    let request = body.request(id, &Making::new(&app, &caller))?;
    let decided = decide(&app, &caller, Some(&key), request).await?;
    posted(end_accepted(&app, id, decided).await?, &caller)
}
