//! `GET /api/v1/trial-balance`: debits and credits over all accounts, now or after an event in the past.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{Sequence, Side};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accounts::past;
use super::app::App;
use super::caller::Caller;
use super::documented::Problems;
use super::problem::Problem;
use super::query::Query;
use super::wire::{self, SequenceText, money, time};
use crate::books::history::{self, Moment};
use crate::books::{Sums, TrialBalance};
use crate::identity::{Action, Object};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(trial_balance))
}

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
}

/// Debits and credits over all accounts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Trial {
    /// The event after which it holds.
    #[schema(example = "123")]
    as_of_sequence: String,
    /// When that was.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    as_of_time: String,
    /// Debits equal credits in every currency.
    balanced: bool,
    /// By currency and account type.
    lines: Vec<TrialLine>,
    /// By currency.
    totals: Vec<TrialTotal>,
}

/// The accounts of one currency and type.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct TrialLine {
    /// The currency.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// asset, liability, equity, income or expense.
    #[serde(rename = "type")]
    #[schema(example = "liability")]
    account_type: &'static str,
    /// How many accounts.
    accounts: u64,
    /// All that was ever debited.
    #[schema(example = "2000.00")]
    debits: String,
    /// All that was ever credited.
    #[schema(example = "5000.00")]
    credits: String,
    /// The difference, on the normal side of the type.
    #[schema(example = "3000.00")]
    balance: String,
    /// What holds reserve now.
    #[schema(example = "0.00")]
    held: String,
}

/// All accounts of one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct TrialTotal {
    /// The currency.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// All that was ever debited.
    #[schema(example = "5000.00")]
    debits: String,
    /// All that was ever credited.
    #[schema(example = "5000.00")]
    credits: String,
}

/// Read the trial balance
///
/// Over all accounts; in the past it is folded from the nearest snapshot, one such question at a time.
#[utoipa::path(
    get, path = "", tag = "reports", params(When),
    responses((status = 200, description = "The trial balance", body = Trial), Problems),
    security(("api_key" = []))
)]
pub(super) async fn trial_balance(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(when): Query<When>,
) -> Result<Json<Trial>, Problem> {
    caller.may(Action::ReadTrialBalance, Object::Bank)?;
    let balance = match (when.as_of_sequence, &when.as_of_time) {
        (None, None) => app.service.books.trial_balance().await?,
        (Some(SequenceText(sequence)), None) => at(&app, Moment::Sequence(sequence)).await?,
        (None, Some(text)) => at(&app, Moment::Time(wire::parse_time("as_of_time", text)?)).await?,
        (Some(_), Some(_)) => {
            return Err(Problem::malformed("as_of_sequence and as_of_time exclude each other."));
        }
    };
    Ok(Json(Trial::of(&balance)))
}

async fn at(app: &App, moment: Moment) -> Result<TrialBalance, Problem> {
    past(app, moment).await?;
    let balance = app.read(move |reads| {
        let sequence = match moment {
            Moment::Sequence(sequence) => sequence,
            other => history::newest(reads, |event| other.covers(event))?,
        };
        if sequence == Sequence(0) {
            return Ok(None);
        }
        reads.state_at(sequence).map(|state| Some(TrialBalance::of(&state)))
    });
    balance.await?.ok_or_else(|| Problem::not_found("The bank was not open yet at that moment."))
}

impl Trial {
    fn of(balance: &TrialBalance) -> Trial {
        let lines = balance.lines.iter().map(|((currency, account_type), sums)| {
            let Sums { accounts, debits, credits, held } = *sums;
            let (debits, credits) = (debits as i128, credits as i128);
            let difference = match account_type.normal_side() {
                Side::Debit => debits - credits,
                Side::Credit => credits - debits,
            };
            TrialLine {
                currency: currency.code(),
                account_type: account_type.name(),
                accounts,
                debits: money(debits, *currency),
                credits: money(credits, *currency),
                balance: money(difference, *currency),
                held: money(held, *currency),
            }
        });
        let totals = balance.totals().into_iter().map(|(currency, (debits, credits))| TrialTotal {
            currency: currency.code(),
            debits: money(debits as i128, currency),
            credits: money(credits as i128, currency),
        });
        Trial {
            as_of_sequence: balance.as_of.to_string(),
            as_of_time: time(balance.time),
            balanced: balance.is_balanced(),
            lines: lines.collect(),
            totals: totals.collect(),
        }
    }
}
