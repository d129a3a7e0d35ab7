//! `POST /api/v1/transactions/transfer`: from one account to another.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::Command;
use ledger::command::Movement;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::{note, posted, submit};
use crate::http::wire::{AccountIdText, Amount, Clean, Transaction, value_date};
use crate::identity::Action;

/// A transfer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct TransferBody<'a> {
    /// The account that pays.
    from_account_id: AccountIdText,
    /// The account that receives.
    to_account_id: AccountIdText,
    /// How much, above zero.
    #[serde(borrow)]
    amount: Amount<'a>,
    /// The currency of both accounts.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// Free text for the statement, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, searchable, at most 128 bytes.
    reference: Option<Clean<'a>>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    value_date: Option<Clean<'a>>,
}

impl TransferBody<'_> {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(&self, making: &Making<'_>) -> Result<ledger::Request, Problem> {
        let currency = making.currency(&self.currency)?;
        let amount = self.amount.positive("amount", currency)?;
        let from = self.from_account_id.0;
        making.caller.may_on(Action::Transfer, making.account(from))?;
        let movement = Movement { from, to: self.to_account_id.0, amount, currency };
        let mut request = making.caller.request(Command::Transfer(movement));
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        request.value = value_date(self.value_date.as_ref())?;
        Ok(request)
    }
}

/// Move money from one account to another
///
/// Both accounts are of one normal side: customer to customer, vault to drawer. Posted when answered.
#[utoipa::path(
    post, path = "/transfer", tag = "transactions", params(KeyRequired),
    request_body(content = TransferBody, example = json!({
        "from_account_id": "101", "to_account_id": "102", "amount": "2000.00", "currency": "BDT",
        "description": "Rent", "reference": "INV-7"})),
    responses(
        (status = 201, description = "Posted; the header Location names it", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn transfer(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: TransferBody = body.parse()?;
    let request = body.request(&Making::new(&app, &caller))?;
    posted(submit(&app, &caller, Some(&key), request).await?, &caller)
}
