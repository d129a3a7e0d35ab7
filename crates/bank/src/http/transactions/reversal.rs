//! `POST /api/v1/transactions/{id}/reversal`: takes a transaction back, whole or in part.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::command::{Extent, Original};
use ledger::refusal::{Code, Refusal};
use ledger::{Command, Sequence};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::http::submit::{note, posted, submit};
use crate::http::wire::{Amount, Clean, Transaction, value_date};
use crate::identity::{Action, Object};

/// How much of a transaction is taken back: all that is left of it if neither amount nor entries are named.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ReversalBody<'a> {
    /// So much of a transaction with two entries.
    #[serde(borrow)]
    pub(in crate::http) amount: Option<Amount<'a>>,
    /// So much of these entries; per currency, debits equal credits.
    pub(in crate::http) entries: Option<Vec<PartIn<'a>>>,
    /// Free text for the statement, at most 512 bytes.
    pub(in crate::http) description: Option<Clean<'a>>,
    /// Your business name for it, searchable, at most 128 bytes.
    pub(in crate::http) reference: Option<Clean<'a>>,
    /// The day from which it counts for interest; today's booking date if absent.
    #[schema(example = "2026-11-22")]
    pub(in crate::http) value_date: Option<Clean<'a>>,
}

/// A part of an entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PartIn<'a> {
    /// Its place among the entries of the original, from 0.
    #[schema(example = 0)]
    entry: u8,
    /// How much of it, above zero.
    #[serde(borrow)]
    amount: Amount<'a>,
}

impl ReversalBody<'_> {
    /// Checks the form and the policy, reads the original, and makes the ledger's request of it.
    pub(in crate::http) fn request(
        &self,
        id: Sequence,
        making: &Making<'_>,
    ) -> Result<ledger::Request, Problem> {
        making.caller.may(Action::Reverse, Object::Bank)?;
        let original = making.original(id)?;
        let extent = self.extent(&original)?;
        let mut request = making.caller.request(Command::Reverse { original: Arc::new(original), extent });
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        request.value = value_date(self.value_date.as_ref())?;
        Ok(request)
    }

    fn extent(&self, original: &Original) -> Result<Extent, Problem> {
        let count = original.lines.len();
        let name_them = || {
            let refusal = Refusal::new(Code::EntriesRequired).figures(count as i128, 0);
            Problem::refused(&refusal, false)
        };
        match (&self.amount, &self.entries) {
            (Some(_), Some(_)) => Err(Problem::malformed("Name an amount or entries, not both.")),
            (None, None) => Ok(Extent::Rest),
            (Some(amount), None) if count == 2 => {
                Ok(Extent::Amount(amount.positive("amount", original.lines[0].currency)?))
            }
            (Some(_), None) => Err(name_them()),
            (None, Some(parts)) => {
                let part = |part: &PartIn<'_>| {
                    let line = original.lines.get(usize::from(part.entry)).ok_or_else(name_them)?;
                    Ok((part.entry, part.amount.positive("amount", line.currency)?))
                };
                Ok(Extent::Entries(parts.iter().map(part).collect::<Result<_, Problem>>()?))
            }
        }
    }
}

/// Reverse a transaction
///
/// Posts a new transaction that mirrors the original, whole or in part; together never more than the original.
/// An empty object, or no body, reverses all that is left. Passes a freeze, but drives no account below zero.
#[utoipa::path(
    post, path = "/{id}/reversal", tag = "transactions",
    params(("id" = String, Path, description = "The transaction to reverse", example = "123"), KeyRequired),
    request_body(content = ReversalBody, example = json!({"amount": "500.00", "description": "Sent twice"})),
    responses(
        (status = 201, description = "Posted; the header Location names it", body = Transaction),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn reverse(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: ReversalBody = body.parse_or_default()?;
    let request = body.request(id, &Making::new(&app, &caller))?;
    posted(submit(&app, &caller, Some(&key), request).await?, &caller)
}
