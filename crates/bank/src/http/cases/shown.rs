//! A case as the interface shows it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::wire::{money, time};
use crate::payments::case::{Case, CaseEntry};

/// A case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Case)]
pub(in crate::http) struct Shown {
    /// Its id.
    #[schema(example = "019aa3f0-7c00-7abc-8def-0123456789ab")]
    id: String,
    /// unknown_outcome, late, step_refused, in_suspense, contradiction, incoming_in_suspense, incoming_refused,
    /// reference_reused, in_doubt, coordinator_forgot, heuristic_outcome or payment_lost.
    #[schema(example = "unknown_outcome")]
    kind: &'static str,
    /// open or resolved.
    #[schema(example = "open")]
    status: &'static str,
    /// The payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    /// The incoming payment that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    incoming_id: Option<String>,
    /// The promise to another bank that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    promise_id: Option<String>,
    /// Over which rail.
    rail: String,
    /// What could be lost.
    #[schema(example = "2000.00")]
    money_at_risk: String,
    /// Of this currency.
    #[schema(example = "BDT")]
    currency: &'static str,
    /// What is known.
    #[schema(value_type = Object)]
    evidence: Value,
    /// When it was opened.
    opened_at: String,
    /// For how long it has been open, or was, seconds.
    age_seconds: i64,
    /// When it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    /// How: resume, cancel, paid, not_paid, suspend, commit, abort, closed, or answered if it went on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<String>,
    /// What was done about it, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<Vec<Line>>,
}

/// One line of a case's history.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseEntry)]
pub(in crate::http) struct Line {
    /// When.
    at: String,
    /// Who.
    actor: String,
    /// opened or resolved.
    action: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Shown {
    /// A case as it stands at a moment.
    pub(super) fn of(case: Case, now_us: i64) -> Shown {
        let end = case.resolved.as_ref().map_or(now_us, |(at, _)| *at);
        let (resolved_at, resolution) = case.resolved.map(|(at, how)| (time(at), how)).unzip();
        Shown {
            id: case.id.to_string(),
            kind: case.kind.name(),
            status: if resolved_at.is_some() { "resolved" } else { "open" },
            payment_id: case.payment.map(|id| id.to_string()),
            incoming_id: case.incoming.map(|id| id.to_string()),
            promise_id: case.promise.map(|id| id.to_string()),
            rail: case.rail,
            money_at_risk: money(case.at_risk, case.currency),
            currency: case.currency.code(),
            evidence: case.evidence,
            opened_at: time(case.opened_at),
            age_seconds: (end - case.opened_at).max(0) / 1_000_000,
            resolved_at,
            resolution,
            history: None,
        }
    }
}

impl From<CaseEntry> for Line {
    fn from(entry: CaseEntry) -> Line {
        Line { at: time(entry.at), actor: entry.actor, action: entry.action, reason: entry.reason }
    }
}
