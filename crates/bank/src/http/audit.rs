//! `GET /api/v1/audit`: who did what outside the books, and who was turned away.

use std::sync::Arc;

use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::caller::Caller;
use super::documented::Problems;
use super::keys::database_failed;
use super::page::{Later, limit};
use super::problem::Problem;
use super::query::Query;
use super::wire::{SequenceText, time};
use crate::database::{AuditRecord, audit};
use crate::identity::{Action, Object};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// From where on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Since {
    /// Records after this one: the next_after of the page before.
    #[param(value_type = Option<String>, example = "0")]
    after: Option<SequenceText>,
    /// How many at most, 1 to 500; 50 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// A record of the audit trail.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub(in crate::http) struct Shown {
    /// Rises with each record.
    #[schema(example = "17")]
    id: String,
    /// When.
    #[schema(example = "2026-11-22T06:30:00.123456Z")]
    at: String,
    /// Who; `outside` for a change that bypassed the service.
    #[schema(example = "local")]
    actor: String,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "10.0.0.7 key:7k2m9x4q")]
    origin: Option<String>,
    /// create, change, revoke, refused_attempt, confirm, …
    #[schema(example = "revoke")]
    action: String,
    /// The kind of the object.
    #[schema(example = "api_key")]
    object: String,
    /// Which one.
    object_id: String,
    /// What it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it is since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The hash of the trail up to and including it, in hexadecimal; absent until the bank has chained a change that
    /// bypassed the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "4f1c…")]
    hash: Option<String>,
}

impl From<AuditRecord> for Shown {
    fn from(record: AuditRecord) -> Shown {
        Shown {
            id: record.id.to_string(),
            at: time(record.at_us),
            actor: record.actor,
            origin: record.origin,
            action: record.action,
            object: record.object,
            object_id: record.object_id,
            before: record.before,
            after: record.after,
            hash: record.hash.map(|hash| hash.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

/// List audit records
///
/// Oldest first: what was done outside the books, and refused attempts (counted over a few seconds).
#[utoipa::path(
    get, path = "", tag = "audit", params(Since),
    responses((status = 200, description = "Records", body = Later<Shown>), Problems),
    security(("api_key" = []))
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    uri: OriginalUri,
    Query(since): Query<Since>,
) -> Result<Response, Problem> {
    caller.may(Action::ReadAudit, Object::Bank)?;
    let limit = limit(since.limit)?;
    let after = since.after.map_or(0, |after| i64::try_from(after.0.0).unwrap_or(i64::MAX));
    let records = audit::list(&app.service.database, after, limit as u32).await.map_err(database_failed)?;
    let last = records.last().map_or(after, |record| record.id);
    let more = records.len() == limit;
    let items: Vec<Shown> = records.into_iter().map(Shown::from).collect();
    Ok(Later { items, next_after: last.to_string() }.answer(&uri, more))
}
