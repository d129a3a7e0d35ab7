//! A rail as the interface shows it: without its secrets.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::wire::money;
use crate::payments::rail::settings::RailSettings;

/// A rail.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Rail)]
pub(in crate::http) struct Shown {
    /// Its name.
    #[schema(example = "partner")]
    name: String,
    /// open or paused.
    #[schema(example = "open")]
    status: &'static str,
    /// Beneficiaries are named by IBAN.
    iban_required: bool,
    /// From when payments are handed over, UTC; always, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "06:00")]
    opens: Option<String>,
    /// Until before when payments are handed over, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "17:00")]
    cut_off: Option<String>,
    /// By when a payment is expected to be settled after it was handed over.
    settles_within_seconds: i64,
    /// How payments over it can be carried out: saga, and two_phase to another bankcore.
    #[schema(example = json!(["saga"]))]
    modes: Vec<&'static str>,
    /// What it carries.
    currencies: Vec<Carried>,
    /// How it is run; for those who may manage rails.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Operation>,
}

/// A currency that a rail carries.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RailCurrency)]
pub(in crate::http) struct Carried {
    /// ISO 4217.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// The largest amount of one payment.
    #[schema(example = "1000000.00")]
    amount_max: String,
    /// Money on its way.
    clearing_account_id: String,
    /// Where it goes once paid.
    settlement_account_id: String,
    /// Money whose owner is unclear.
    suspense_account_id: String,
}

/// How a rail is run.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RailOperation)]
pub(in crate::http) struct Operation {
    /// Where its questions go.
    url: String,
    /// How long an answer may take.
    timeout_ms: i64,
    /// The first interval between questions; it doubles.
    enquire_after_ms: i64,
    /// The longest interval between questions.
    enquire_at_most_ms: i64,
    /// After so many fruitless questions a case is opened.
    tries_max: u32,
    /// How long the other bank has to prepare; where payments can be of mode two_phase only.
    #[serde(skip_serializing_if = "Option::is_none")]
    prepare_within_ms: Option<i64>,
    /// The ids of its live keys, the one that signs first.
    key_ids: Vec<String>,
}

impl Shown {
    /// A rail, with how it is run for those who may know.
    pub(super) fn of(rail: &RailSettings, manages: bool) -> Shown {
        let clock = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let carried = rail.currencies.iter().map(|lane| Carried {
            currency: lane.currency.code(),
            amount_max: money(lane.amount_max, lane.currency),
            clearing_account_id: lane.clearing.to_string(),
            settlement_account_id: lane.settlement.to_string(),
            suspense_account_id: lane.suspense.to_string(),
        });
        let operation = || Operation {
            url: rail.url.clone(),
            timeout_ms: rail.timeout_us / 1_000,
            enquire_after_ms: rail.enquire_after_us / 1_000,
            enquire_at_most_ms: rail.enquire_at_most_us / 1_000,
            tries_max: rail.tries_max,
            prepare_within_ms: rail.prepare_within_us.map(|within| within / 1_000),
            key_ids: rail.keys.iter().map(|key| key.id.clone()).collect(),
        };
        Shown {
            name: rail.name.clone(),
            status: if rail.paused { "paused" } else { "open" },
            iban_required: rail.iban_required,
            opens: rail.window.map(|window| clock(window.opens)),
            cut_off: rail.window.map(|window| clock(window.cut_off)),
            settles_within_seconds: rail.settles_within_us / 1_000_000,
            modes: rail.modes().iter().map(|mode| mode.name()).collect(),
            currencies: carried.collect(),
            operation: manages.then(operation),
        }
    }
}
