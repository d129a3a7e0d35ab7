//! A transaction as callers see it.

use ledger::{Body, Currency, Event, Side};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::{date, money, time};
use crate::http::caller::Caller;

/// A balanced set of entries, posted together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Transaction {
    /// Its id: the sequence of its event.
    #[schema(example = "123")]
    pub id: String,
    /// deposit, withdrawal, transfer, journal_entry, capture or reversal.
    #[schema(example = "transfer")]
    pub kind: &'static str,
    /// posted, partially_reversed or reversed.
    #[schema(example = "posted")]
    pub status: &'static str,
    /// The sum of its debits, if it has one currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2000.00")]
    pub amount: Option<String>,
    /// Its currency, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "BDT")]
    pub currency: Option<&'static str>,
    /// The caller's business name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The hold that it captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_id: Option<String>,
    /// The transaction that it reverses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_id: Option<String>,
    /// The accounting day.
    pub booking_date: String,
    /// The day from which it counts for interest.
    pub value_date: String,
    /// When it was posted.
    pub posted_at: String,
    /// Its entries.
    pub entries: Vec<EntryOut>,
}

/// One line of a transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EntryOut {
    /// The account.
    pub account_id: String,
    /// debit or credit.
    pub side: &'static str,
    /// How much.
    pub amount: String,
    /// The currency.
    pub currency: &'static str,
    /// The account's ledger balance afterwards; left out where the reader may not see the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance_after: Option<String>,
}

impl Transaction {
    /// A transaction as `caller` may see it; none if the event is no transaction.
    #[must_use]
    pub fn of(event: &Event, caller: &Caller) -> Option<Transaction> {
        let Body::Posted { kind, hold, reverses } = &event.body else { return None };
        let currency = one_currency(event);
        let debits = event.posted().filter(|entry| entry.side == Side::Debit);
        let sum: i128 = debits.map(|entry| i128::from(entry.amount)).sum();
        let note = event.note.as_deref();
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        Some(Transaction {
            id: event.sequence.to_string(),
            kind: kind.name(),
            status: "posted",
            amount: currency.map(|currency| money(sum, currency)),
            currency: currency.map(Currency::code),
            reference: note.and_then(|note| text(&note.reference)),
            description: note.and_then(|note| text(&note.description)),
            hold_id: hold.map(|hold| hold.to_string()),
            original_id: reverses.as_ref().map(|(original, _)| original.to_string()),
            booking_date: date(event.booking),
            value_date: date(event.value),
            posted_at: time(event.time),
            entries: event
                .posted()
                .map(|entry| EntryOut {
                    account_id: entry.account.to_string(),
                    side: entry.side.name(),
                    amount: money(entry.amount, entry.currency),
                    currency: entry.currency.code(),
                    balance_after: caller
                        .sees(entry.account)
                        .then(|| money(entry.balance_after, entry.currency)),
                })
                .collect(),
        })
    }
}

fn one_currency(event: &Event) -> Option<Currency> {
    let mut currencies = event.posted().map(|entry| entry.currency);
    let first = currencies.next()?;
    currencies.all(|currency| currency == first).then_some(first)
}
