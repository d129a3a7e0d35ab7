//! A hold as callers see it.

use ledger::event::{Body, Event, HoldEnd};
use ledger::limits::NEVER;
use serde::Serialize;
use utoipa::ToSchema;

use super::text::{money, time};

/// Funds reserved, not yet posted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Hold {
    /// Its id: the sequence of the event that placed it.
    #[schema(example = "123")]
    pub id: String,
    /// open, prepared, captured, voided or expired.
    #[schema(example = "open")]
    pub status: &'static str,
    /// Whose funds.
    #[schema(example = "101")]
    pub account_id: String,
    /// Who is promised them, if the hold says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "102")]
    pub to_account_id: Option<String>,
    /// How much is reserved.
    #[schema(example = "500.00")]
    pub amount: String,
    /// The currency.
    #[schema(example = "BDT")]
    pub currency: &'static str,
    /// When it ends by itself; left out for a prepared one, which only its coordinator ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-29T06:30:00.123456Z")]
    pub expires_at: Option<String>,
    /// When it was placed.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    pub placed_at: String,
    /// The caller's business name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How much was posted, if it was captured; the rest was released.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "450.00")]
    pub captured_amount: Option<String>,
    /// The event that ended it; for a capture, the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "130")]
    pub ended_by: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

impl Hold {
    /// A hold as it was placed, and the event that ended it, if one has. None if `placed` placed no hold.
    #[must_use]
    pub fn of(placed: &Event, ended: Option<&Event>) -> Option<Hold> {
        let Body::HoldPlaced { expires_at } = placed.body else { return None };
        let entry = placed.entries.first()?;
        let note = placed.note.as_deref();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let how = ended.and_then(end);
        let captured = ended.filter(|_| how == Some(HoldEnd::Captured));
        let captured = captured.and_then(|event| event.posted().next());
        Some(Hold {
            id: placed.sequence.to_string(),
            status: how.map_or(if expires_at == NEVER { "prepared" } else { "open" }, HoldEnd::name),
            account_id: entry.account.to_string(),
            to_account_id: placed.entries.get(1).map(|entry| entry.account.to_string()),
            amount: money(entry.amount, entry.currency),
            currency: entry.currency.code(),
            expires_at: (expires_at != NEVER).then(|| time(expires_at)),
            placed_at: time(placed.time),
            reference: note.and_then(|note| text(&note.reference)),
            description: note.and_then(|note| text(&note.description)),
            captured_amount: captured.map(|entry| money(entry.amount, entry.currency)),
            ended_by: ended.map(|event| event.sequence.to_string()),
            ended_at: ended.map(|event| time(event.time)),
        })
    }
}

/// How this event ends a hold, if it ends one.
fn end(event: &Event) -> Option<HoldEnd> {
    match event.body {
        Body::Posted { hold: Some(_), .. } => Some(HoldEnd::Captured),
        Body::HoldEnded { how, .. } => Some(how),
        _ => None,
    }
}
