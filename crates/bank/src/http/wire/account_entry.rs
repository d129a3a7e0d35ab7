//! A line of an account's history as callers see it.

use ledger::Entry;
use serde::Serialize;
use utoipa::ToSchema;

use super::text::{date, money, time};
use crate::books::history::Step;

/// One entry on an account, with the balance that it left.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountEntry {
    /// The transaction that it belongs to.
    #[schema(example = "123")]
    pub transaction_id: String,
    /// deposit, withdrawal, transfer, journal_entry, capture or reversal.
    #[schema(example = "transfer")]
    pub kind: &'static str,
    /// debit or credit.
    #[schema(example = "credit")]
    pub side: &'static str,
    /// How much.
    #[schema(example = "2000.00")]
    pub amount: String,
    /// The account's currency.
    #[schema(example = "BDT")]
    pub currency: &'static str,
    /// The account's ledger balance afterwards.
    #[schema(example = "2500.00")]
    pub balance_after: String,
    /// The accounting day.
    #[schema(example = "2026-11-22")]
    pub booking_date: String,
    /// The day from which it counts for interest.
    #[schema(example = "2026-11-22")]
    pub value_date: String,
    /// When it was posted.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    pub posted_at: String,
    /// The caller's business name for the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "INV-7")]
    pub reference: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Rent")]
    pub description: Option<String>,
    /// The other accounts of the transaction.
    #[schema(example = json!(["102"]))]
    pub counter_account_ids: Vec<String>,
}

impl AccountEntry {
    /// One of the posted entries of a step; none if the step's event is no transaction.
    #[must_use]
    pub fn of(step: &Step, entry: &Entry) -> Option<AccountEntry> {
        let event = &step.event;
        let kind = event.transaction()?;
        let note = event.note.as_deref();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let mut others: Vec<_> =
            event.posted().map(|other| other.account).filter(|other| *other != entry.account).collect();
        others.sort_unstable();
        others.dedup();
        Some(AccountEntry {
            transaction_id: event.sequence.to_string(),
            kind: kind.name(),
            side: entry.side.name(),
            amount: money(entry.amount, entry.currency),
            currency: entry.currency.code(),
            balance_after: money(entry.balance_after, entry.currency),
            booking_date: date(event.booking),
            value_date: date(event.value),
            posted_at: time(event.time),
            reference: note.and_then(|note| text(&note.reference)),
            description: note.and_then(|note| text(&note.description)),
            counter_account_ids: others.iter().map(ToString::to_string).collect(),
        })
    }
}
