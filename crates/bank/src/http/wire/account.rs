//! An account as callers see it.

use ledger::{Body, Event};
use serde::Serialize;
use utoipa::ToSchema;

use super::text::{money, time};
use crate::sequencer::AccountView;

/// One currency, one type, one set of totals. Balances are on the account's normal side.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Account {
    /// Its id.
    #[schema(example = "101")]
    pub id: String,
    /// Its number, unique in the bank.
    #[schema(example = "BC000000000101")]
    pub number: String,
    /// Its name.
    #[schema(example = "Alice, current account")]
    pub name: String,
    /// asset, liability, equity, income or expense. Customers' accounts are liabilities of the bank.
    #[serde(rename = "type")]
    #[schema(example = "liability")]
    pub account_type: &'static str,
    /// Its one currency.
    #[schema(example = "BDT")]
    pub currency: &'static str,
    /// pending, active, frozen or closed.
    #[schema(example = "active")]
    pub status: &'static str,
    /// The principal that owns it; absent for the bank's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "customer:alice")]
    pub owner: Option<String>,
    /// Posted totals only.
    #[schema(example = "3000.00")]
    pub ledger_balance: String,
    /// What may be spent: the ledger balance less what is held, plus the overdraft limit.
    #[schema(example = "2500.00")]
    pub available_balance: String,
    /// Reserved by holds, not yet posted.
    #[schema(example = "500.00")]
    pub held: String,
    /// How far below zero the available balance may be used.
    #[schema(example = "0.00")]
    pub overdraft_limit: String,
    /// Rises by one with each event that touches the account; the header ETag says the same.
    #[schema(example = 7)]
    pub version: u64,
    /// When it was opened.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    pub opened_at: String,
}

impl Account {
    /// An account as it stands; `opened` is the event that opened it, which holds number and name. None if
    /// that event opened no account.
    #[must_use]
    pub fn of(view: &AccountView, opened: &Event) -> Option<Account> {
        let Body::AccountOpened(opening) = &opened.body else { return None };
        let account = &view.account;
        let currency = account.currency();
        Some(Account {
            id: view.id.to_string(),
            number: opening.number.to_string(),
            name: opening.name.to_string(),
            account_type: account.account_type.name(),
            currency: currency.code(),
            status: account.status.name(),
            owner: view.owner.as_deref().map(str::to_owned),
            ledger_balance: money(account.ledger_balance(), currency),
            available_balance: money(account.available_balance(), currency),
            held: money(account.reserved(), currency),
            overdraft_limit: money(account.overdraft_limit, currency),
            version: account.version,
            opened_at: time(opened.time),
        })
    }
}
