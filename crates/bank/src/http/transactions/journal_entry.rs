//! `POST /api/v1/transactions`: a balanced set of entries.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::{Command, Line, Side};
use serde::{Deserialize, Deserializer, de};
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
use crate::identity::{Action, Object};

/// A journal entry: per currency, debits equal credits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct JournalBody<'a> {
    /// Its entries, 2 to 128. An account stands on one side only.
    #[serde(borrow)]
    #[schema(min_items = 2, max_items = 128)]
    entries: Vec<EntryIn<'a>>,
    /// Free text for the statement, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, searchable, at most 128 bytes.
    reference: Option<Clean<'a>>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    value_date: Option<Clean<'a>>,
}

/// One line of a journal entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct EntryIn<'a> {
    /// The account.
    account_id: AccountIdText,
    /// debit or credit.
    #[serde(deserialize_with = "side")]
    #[schema(value_type = String, example = "debit")]
    side: Side,
    /// How much, above zero.
    #[serde(borrow)]
    amount: Amount<'a>,
    /// The account's currency.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
}

fn side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side, D::Error> {
    let word = Clean::deserialize(deserializer)?;
    let found = [Side::Debit, Side::Credit].into_iter().find(|side| side.name() == word.0);
    found.ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&word.0), &"debit or credit"))
}

impl JournalBody<'_> {
    /// Checks the form and the policy, and makes the ledger's request of it.
    pub(in crate::http) fn request(&self, making: &Making<'_>) -> Result<ledger::Request, Problem> {
        making.caller.may(Action::PostEntries, Object::Bank)?;
        let line = |(index, entry): (usize, &EntryIn<'_>)| {
            let currency = making.currency(&entry.currency)?;
            let amount = entry.amount.positive("amount", currency);
            let amount = amount.map_err(|problem| problem.with("entry", index))?;
            Ok(Line { account: entry.account_id.0, side: entry.side, amount, currency })
        };
        let lines = self.entries.iter().enumerate().map(line).collect::<Result<_, Problem>>()?;
        let mut request = making.caller.request(Command::Post { lines });
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        request.value = value_date(self.value_date.as_ref())?;
        Ok(request)
    }
}

/// Post a journal entry
///
/// Any number of entries from 2 to 128, posted together or not at all. Per currency, debits equal credits.
#[utoipa::path(
    post, path = "", tag = "transactions", params(KeyRequired),
    request_body(content = JournalBody, example = json!({
        "entries": [
            {"account_id": "1", "side": "debit", "amount": "1000000.00", "currency": "BDT"},
            {"account_id": "2", "side": "credit", "amount": "1000000.00", "currency": "BDT"}],
        "description": "Paid-up capital", "reference": "CAP-1"})),
    responses(
        (status = 201, description = "Posted; the header Location names it", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn post_entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: JournalBody = body.parse()?;
    let request = body.request(&Making::new(&app, &caller))?;
    posted(submit(&app, &caller, Some(&key), request).await?, &caller)
}
