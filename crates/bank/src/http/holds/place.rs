//! `POST /api/v1/holds`: reserves funds.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::{Code, Command, Refusal};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::{created, life, note, submit};
use crate::http::wire::{AccountIdText, Amount, Clean, Hold, parse_time};
use crate::identity::Action;

/// A wish to reserve funds.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct HoldBody<'a> {
    /// Whose funds.
    account_id: AccountIdText,
    /// Who is promised them, if that is known already; then nobody else can get them.
    to_account_id: Option<AccountIdText>,
    /// How much, above zero.
    #[serde(borrow)]
    amount: Amount<'a>,
    /// The currency of the account.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// When it ends by itself (RFC 3339), at most 400 days ahead; seven days if neither this nor
    /// `expires_in_seconds` is there.
    #[schema(example = "2026-11-29T06:30:00Z")]
    expires_at: Option<Clean<'a>>,
    /// After how many seconds it ends by itself.
    #[schema(example = 3600, minimum = 1)]
    expires_in_seconds: Option<u32>,
    /// Free text, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, at most 128 bytes.
    reference: Option<Clean<'a>>,
}

impl HoldBody<'_> {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(&self, making: &Making<'_>) -> Result<ledger::Request, Problem> {
        let currency = making.currency(&self.currency)?;
        let amount = self.amount.positive("amount", currency)?;
        let expires_at = match (&self.expires_at, self.expires_in_seconds) {
            (Some(_), Some(_)) => {
                return Err(Problem::malformed("Name expires_at or expires_in_seconds, not both."));
            }
            // A moment before 1970 is as much in the past as 1970 is.
            (Some(text), None) => Some(parse_time("expires_at", &text.0)?.max(0)),
            (None, Some(0)) => {
                let refusal = Refusal::new(Code::HoldTooLong).on(self.account_id.0);
                return Err(Problem::refused(&refusal, false));
            }
            (None, Some(seconds)) => Some(life(i64::from(seconds) * 1_000_000)),
            (None, None) => None,
        };
        let account = self.account_id.0;
        making.caller.may_on(Action::Hold, making.account(account))?;
        let to = self.to_account_id.map(|id| id.0);
        let mut request = making.caller.request(Command::Hold { account, to, amount, currency, expires_at });
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        Ok(request)
    }
}

/// Place a hold
///
/// Reserves funds without posting anything: the available balance falls, the ledger balance stays. A hold is
/// captured, voided, or expires. A replay shows it as it was placed; read it to see how it stands.
#[utoipa::path(
    post, path = "", tag = "holds", params(KeyRequired),
    request_body(content = HoldBody, example = json!({
        "account_id": "101", "to_account_id": "102", "amount": "500.00", "currency": "BDT",
        "expires_in_seconds": 3600, "description": "Card payment", "reference": "AUTH-9"})),
    responses(
        (status = 201, description = "Reserved; the header Location names it", body = Hold),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn place(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: HoldBody = body.parse()?;
    let request = body.request(&Making::new(&app, &caller))?;
    let (event, replayed) = submit(&app, &caller, Some(&key), request).await?;
    let hold = Hold::of(&event, None).ok_or_else(Problem::key_reused)?;
    Ok(created(&format!("/api/v1/holds/{}", event.sequence), &hold, replayed))
}
