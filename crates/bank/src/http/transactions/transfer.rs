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
use crate::http::headers::IdempotencyKey;
use crate::http::json::Body;
use crate::http::problem::Problem;
use crate::http::submit::{created, note, submit};
use crate::http::wire::{self, AccountIdText, Amount, Clean, Transaction};
use crate::identity::Action;

/// A transfer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct TransferBody {
    /// The account that pays.
    from_account_id: AccountIdText,
    /// The account that receives.
    to_account_id: AccountIdText,
    /// How much, above zero.
    amount: Amount,
    /// The currency of both accounts.
    #[schema(example = "BDT")]
    currency: String,
    /// Free text for the statement, at most 512 bytes.
    description: Option<Clean>,
    /// Your business name for it, searchable, at most 128 bytes.
    reference: Option<Clean>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    value_date: Option<String>,
}

impl TransferBody {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) async fn request(
        self,
        app: &App,
        caller: &Caller,
    ) -> Result<ledger::Request, Problem> {
        let currency = wire::currency(&self.currency)?;
        let amount = self.amount.positive("amount", currency)?;
        let from = self.from_account_id.0;
        caller.may_on(Action::Transfer, app.account_ref(from).await?)?;
        let movement = Movement { from, to: self.to_account_id.0, amount, currency };
        let mut request = caller.request(Command::Transfer(movement));
        request.note = note(self.reference.map(|text| text.0), self.description.map(|text| text.0));
        request.value = self.value_date.map(|text| wire::parse_date("value_date", &text)).transpose()?;
        Ok(request)
    }
}

/// Move money from one account to another
///
/// Both accounts are of one normal side: customer to customer, vault to drawer. Posted when answered.
#[utoipa::path(
    post, path = "/transfer", tag = "transactions", request_body = TransferBody,
    params(("Idempotency-Key" = String, Header, description = "Your id of this intent; the same for every retry")),
    responses(
        (status = 201, description = "Posted; the header Location names it. A replay carries Idempotent-Replayed: true", body = Transaction),
        (status = "4XX", description = "Not done, and why", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Cannot now; send it again with the same key", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub(super) async fn transfer(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    Body(body): Body<TransferBody>,
) -> Result<Response, Problem> {
    let request = body.request(&app, &caller).await?;
    let (event, replayed) = submit(&app, &caller, Some(&key), request).await?;
    let transaction = Transaction::of(&event, &caller).ok_or_else(Problem::key_reused)?;
    Ok(created(&format!("/api/v1/transactions/{}", event.sequence), &transaction, replayed))
}
