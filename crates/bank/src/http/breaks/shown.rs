//! A finding as it is shown.

use ledger::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::problem::Problem;
use crate::http::wire::{money, time};
use crate::sequencer::Fault;
use crate::store::mysql::BalanceBreak;

/// A balance in the tables that its entries did not explain. Nothing was overwritten.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BalanceBreak)]
pub(in crate::http) struct Shown {
    /// Its number.
    #[schema(example = "3")]
    id: String,
    /// Of which account.
    #[schema(example = "101")]
    account_id: String,
    /// What the row said, on the account's normal side.
    #[schema(example = "17.77")]
    cached_balance: String,
    /// What the entries said.
    #[schema(example = "10.00")]
    entries_balance: String,
    /// The currency of both.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// When it was found.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    found_at: String,
    /// The newest event at that time.
    #[schema(example = "173")]
    as_of: String,
    /// By whom.
    #[schema(example = "carol as teller@localhost")]
    found_by: String,
    /// open or closed.
    #[schema(example = "closed")]
    state: &'static str,
    /// When somebody was done with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The row was put right from the backup of Monday; case 17")]
    reason: Option<String>,
}

impl Shown {
    /// In the currency of its account.
    pub(super) fn of(app: &App, found: BalanceBreak) -> Result<Shown, Problem> {
        let AccountId(account) = found.account;
        let facts = app.facts(found.account).ok_or_else(|| {
            Fault::Unreadable(format!("balance_breaks names account {account}, which is not there"))
        })?;
        let state = if found.closed.is_some() { "closed" } else { "open" };
        let (closed_at, closed_by, reason) = match found.closed {
            Some(closed) => (Some(time(closed.at_us)), Some(closed.by), Some(closed.reason)),
            None => (None, None, None),
        };
        Ok(Shown {
            id: found.id.to_string(),
            account_id: account.to_string(),
            cached_balance: money(found.cached, facts.currency),
            entries_balance: money(found.entries, facts.currency),
            currency: facts.currency.code(),
            found_at: time(found.found_us),
            as_of: found.as_of.to_string(),
            found_by: found.found_by,
            state,
            closed_at,
            closed_by,
            reason,
        })
    }
}
