//! `GET /api/v1/accounts/{id}/balance`: what is on an account, now, at a moment in the past, or by value date.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{AccountId, Code, Date, Refusal, Sequence};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{unknown, view};
use crate::books::history::{self, Moment};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::path::AccountPath;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::{self, SequenceText, date, money, time};
use crate::identity::{AccountRef, Action};
use crate::sequencer::AccountView;

/// When; one of them, or none for now.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct When {
    /// After this event.
    #[param(value_type = Option<String>, example = "123")]
    as_of_sequence: Option<SequenceText>,
    /// After the last event of this moment, RFC 3339.
    #[param(example = "2026-11-22T06:30:00Z")]
    as_of_time: Option<String>,
    /// At the end of this booking date.
    #[param(example = "2026-11-22")]
    as_of_date: Option<String>,
    /// All entries whose value date is this day or earlier, whenever they were booked: what interest is computed
    /// from. At most 366 days after the newest booking date.
    #[param(example = "2026-11-22")]
    value_date: Option<String>,
}

/// What the balance is asked for.
enum Asked {
    Now,
    Past(Moment),
    ByValue(Date),
}

/// What is on an account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Balance {
    /// The account.
    #[schema(example = "101")]
    account_id: String,
    /// Its currency.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// The value date that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-22")]
    value_date: Option<String>,
    /// Posted totals only, on the account's normal side.
    #[schema(example = "3000.00")]
    ledger_balance: String,
    /// What may be spent; only known for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2500.00")]
    available_balance: Option<String>,
    /// Reserved by holds; only known for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "500.00")]
    held: Option<String>,
    /// The account's version at that moment; by value date the one that the answer was made of.
    version: u64,
    /// The newest event that touched the account up to that moment; by value date the newest of all.
    #[schema(example = "123")]
    last_event: String,
    /// When that was; only for a moment in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_at: Option<String>,
    /// Its booking date; only for a moment in the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_booking_date: Option<String>,
}

/// Read a balance
///
/// Now, or the ledger balance after an event, a moment or a booking date, or by value date. The balance by value
/// date may still change as long as entries may be given that value date.
#[utoipa::path(
    get, path = "/{id}/balance", tag = "accounts",
    params(("id" = String, Path, description = "The account", example = "101"), When),
    responses((status = 200, description = "The balance", body = Balance), Problems),
    security(("api_key" = []))
)]
pub(super) async fn balance(
    State(app): State<Arc<App>>,
    caller: Caller,
    AccountPath(id): AccountPath,
    Query(when): Query<When>,
) -> Result<Json<Balance>, Problem> {
    let asked = asked(&when)?;
    caller.may_on(Action::ReadAccount, AccountRef::bank(id.0))?;
    let balance = match asked {
        Asked::Now => now(&view(&app, &caller, id).await?),
        Asked::Past(moment) => {
            past(&app, moment).await?;
            // The account is looked at after the moment was found to be over, so it has all that happened by then.
            let view = view(&app, &caller, id).await?;
            at(&app, id, view, moment).await?
        }
        Asked::ByValue(date) => by_value(&app, id, date).await?,
    };
    Ok(Json(balance))
}

fn asked(when: &When) -> Result<Asked, Problem> {
    let sequence = when.as_of_sequence.map(|SequenceText(sequence)| Ok(Moment::Sequence(sequence)));
    let time = when.as_of_time.as_deref();
    let time = time.map(|text| wire::parse_time("as_of_time", text).map(Moment::Time));
    let date = when.as_of_date.as_deref();
    let date = date.map(|text| wire::parse_date("as_of_date", text).map(Moment::Date));
    let moments = [sequence, time, date].into_iter().flatten().map(|moment| moment.map(Asked::Past));
    let value = when.value_date.as_deref();
    let value = value.map(|text| wire::parse_date("value_date", text).map(Asked::ByValue));
    let mut given = moments.chain(value);
    let first = given.next().transpose()?;
    if given.next().is_some() {
        return Err(Problem::malformed(
            "as_of_sequence, as_of_time, as_of_date and value_date exclude each other.",
        ));
    }
    Ok(first.unwrap_or(Asked::Now))
}

/// What may still change is no answer about the past.
pub(in crate::http) async fn past(app: &App, moment: Moment) -> Result<(), Problem> {
    let books = &app.service.books;
    let known = match moment {
        Moment::Sequence(sequence) => sequence <= books.reads().head().sequence,
        Moment::Time(time) => time <= app.now(),
        Moment::Date(date) => books.day().await?.newest.is_some_and(|newest| date <= newest),
    };
    if known {
        return Ok(());
    }
    Err(Problem::not_known_yet("The moment lies after the newest event, so the answer could still change."))
}

fn now(view: &AccountView) -> Balance {
    let account = &view.account;
    let currency = account.currency();
    Balance {
        account_id: view.id.to_string(),
        currency: currency.code(),
        value_date: None,
        ledger_balance: money(account.ledger_balance(), currency),
        available_balance: Some(money(account.available_balance(), currency)),
        held: Some(money(account.reserved(), currency)),
        version: account.version,
        last_event: account.last.to_string(),
        last_event_at: None,
        last_booking_date: None,
    }
}

async fn at(app: &App, id: AccountId, view: AccountView, moment: Moment) -> Result<Balance, Problem> {
    let currency = view.account.currency();
    let step = app.read(move |reads| history::balance_at(reads, id, &view.account, moment)).await?;
    let step =
        step.ok_or_else(|| Problem::not_found(format!("Account {id} was not open yet at that moment.")))?;
    let Sequence(last) = step.event.sequence;
    Ok(Balance {
        account_id: id.to_string(),
        currency: currency.code(),
        value_date: None,
        ledger_balance: money(step.balance_after(), currency),
        available_balance: None,
        held: None,
        version: step.entry.version,
        last_event: last.to_string(),
        last_event_at: Some(time(step.event.time)),
        last_booking_date: Some(date(step.event.booking)),
    })
}

async fn by_value(app: &App, id: AccountId, day: Date) -> Result<Balance, Problem> {
    let seen = app.service.books.by_value(id, day).await?.ok_or_else(unknown)?;
    if let Some(newest) = seen.out_of_range() {
        let refusal = Refusal::new(Code::ValueDateOutOfRange).figures(newest.0.into(), day.0.into());
        return Err(Problem::refused(&refusal, false));
    }
    let account = seen.view.account;
    let balance = app.read(move |reads| seen.balance(reads)).await?;
    Ok(Balance {
        account_id: id.to_string(),
        currency: account.currency().code(),
        value_date: Some(date(day)),
        ledger_balance: money(balance, account.currency()),
        available_balance: None,
        held: None,
        version: account.version,
        last_event: account.last.to_string(),
        last_event_at: None,
        last_booking_date: None,
    })
}
