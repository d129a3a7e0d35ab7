//! `POST /api/v1/accounts`: opens an account.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::command::OpenAccount;
use ledger::event::NameKind;
use ledger::{AccountType, Body as EventBody, Command, Event, NameId, Status};
use serde::{Deserialize, Deserializer, de};
use utoipa::ToSchema;

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::problem::Problem;
use crate::http::submit::{created, note, submit, tag};
use crate::http::wire::{self, Account, Amount, Clean};
use crate::identity::{Action, Object, PrincipalName};
use crate::sequencer::AccountView;

/// A wish for an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct OpenBody<'a> {
    /// Its name, at most 128 bytes.
    #[serde(borrow)]
    #[schema(example = "Alice, current account")]
    name: Clean<'a>,
    /// asset, liability, equity, income or expense. Customers' accounts are liabilities of the bank.
    #[serde(rename = "type", deserialize_with = "account_type")]
    #[schema(value_type = String, example = "liability")]
    account_type: AccountType,
    /// Its one currency.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// The principal that owns it; absent for the bank's own.
    #[schema(example = "customer:alice")]
    owner: Option<Clean<'a>>,
    /// Its number, unique in the bank, at most 34 bytes; made by the bank if absent.
    number: Option<Clean<'a>>,
    /// How far below zero the available balance may be used; "0.00" if absent.
    #[schema(example = "0.00")]
    overdraft_limit: Option<Amount<'a>>,
    /// active (taken if absent) or pending.
    #[serde(default = "active", deserialize_with = "status")]
    #[schema(value_type = String, example = "active")]
    status: Status,
    /// Free text for the event, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, at most 128 bytes.
    reference: Option<Clean<'a>>,
}

fn active() -> Status {
    Status::Active
}

fn account_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AccountType, D::Error> {
    let word = Clean::deserialize(deserializer)?;
    let expected = &"asset, liability, equity, income or expense";
    AccountType::from_name(&word.0)
        .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&word.0), expected))
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let word = Clean::deserialize(deserializer)?;
    Status::from_name(&word.0)
        .filter(|status| matches!(status, Status::Active | Status::Pending))
        .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&word.0), &"active or pending"))
}

impl OpenBody<'_> {
    /// Checks form and policy; only then the owner is given a number.
    async fn request(&self, app: &App, caller: &Caller) -> Result<ledger::Request, Problem> {
        let currency = wire::currency(&self.currency.0)?;
        let limit = self.overdraft_limit.as_ref();
        let overdraft_limit = limit.map(|limit| limit.or_zero("overdraft_limit", currency)).transpose()?;
        let overdraft_limit = overdraft_limit.unwrap_or(0);
        let owner = self.owner.as_ref().map(|name| name.0.parse::<PrincipalName>()).transpose();
        let owner = owner.map_err(|why| Problem::malformed(format!("owner: {why}.")))?;
        if self.name.0.is_empty() {
            return Err(Problem::malformed("name is empty; an account has a name."));
        }
        let of_customer = self.account_type == AccountType::Liability && owner.is_some();
        caller
            .may(Action::OpenAccount, Object::NewAccount { of_customer, overdraft: overdraft_limit > 0 })?;
        let owner = match &owner {
            Some(name) => app.service.books.intern(NameKind::Principal, name.as_str()).await?,
            None => NameId(0),
        };
        let wish = OpenAccount {
            account_type: self.account_type,
            currency,
            status: self.status,
            overdraft_limit,
            owner,
            number: self.number.as_ref().map(|text| Box::from(&*text.0)),
            name: Box::from(&*self.name.0),
        };
        let mut request = caller.request(Command::OpenAccount(Box::new(wish)));
        request.note = note(self.reference.as_ref(), self.description.as_ref());
        Ok(request)
    }
}

/// Open an account
///
/// A customer's account is a liability with an owner. A replay shows it as it was opened.
#[utoipa::path(
    post, path = "", tag = "accounts", params(KeyRequired),
    request_body(content = OpenBody, example = json!({
        "name": "Alice, savings account", "type": "liability", "currency": "BDT", "owner": "customer:alice"})),
    responses(
        (status = 201, description = "Opened; the header Location names it, ETag its version", body = Account),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(in crate::http) async fn open(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: OpenBody = body.parse()?;
    let request = body.request(&app, &caller).await?;
    let (event, replayed) = submit(&app, &caller, Some(&key), request).await?;
    let owner = body.owner.as_ref().map(|name| Box::from(&*name.0));
    let account = as_opened(&event, owner).ok_or_else(Problem::key_reused)?;
    let mut response = created(&format!("/api/v1/accounts/{}", account.id), &account, replayed);
    tag(&mut response, account.version);
    Ok(response)
}

/// The account as its opening left it: what was answered first is answered again.
fn as_opened(event: &Event, owner: Option<Box<str>>) -> Option<Account> {
    let EventBody::AccountOpened(opening) = &event.body else { return None };
    let entry = event.entries.first()?;
    let mut account = ledger::Account::new(
        opening.account_type,
        opening.currency,
        opening.owner,
        opening.status,
        opening.overdraft_limit,
        event.sequence,
    );
    (account.version, account.last) = (entry.version, event.sequence);
    Account::of(&AccountView { id: entry.account, account, owner }, event)
}
