//! `GET /api/v1/bank`: which bank this is, and where its books stand.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::caller::Caller;
use super::documented::Problems;
use super::problem::Problem;
use super::query::{Nothing, Query};
use super::wire::{date, hex};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(bank))
}

/// A bank.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Bank {
    /// Its id, which is part of every event's id outside.
    #[schema(example = "7c1f9a8e0d6b4c2f9e3a5b7d1c0f2e4a")]
    id: String,
    /// The life of its books between restores, from 1.
    #[schema(example = 1)]
    timeline: u32,
    /// What it calls itself.
    #[schema(example = "Demo bank")]
    name: String,
    /// The business day on which transactions are booked; null if none is open.
    #[schema(example = "2026-11-22")]
    business_day: Option<String>,
    /// The newest event.
    #[schema(example = "123")]
    sequence: String,
    /// The version of the software.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Read the bank
///
/// Which bank this is, its open business day and its newest event.
#[utoipa::path(
    get, path = "", tag = "reports",
    responses((status = 200, description = "The bank", body = Bank), Problems),
    security(("api_key" = []))
)]
async fn bank(
    State(app): State<Arc<App>>,
    _caller: Caller,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<Bank>, Problem> {
    let service = &app.service;
    let day = service.books.day().await?;
    Ok(Json(Bank {
        id: hex(&service.identity.bank),
        timeline: service.identity.timeline,
        name: service.name.to_string(),
        business_day: day.open.map(date),
        sequence: service.books.reads().head().sequence.0.to_string(),
        version: env!("CARGO_PKG_VERSION"),
    }))
}
