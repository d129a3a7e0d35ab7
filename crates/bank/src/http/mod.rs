//! The HTTP interface. Only here are JSON shapes known; only `problem` maps refusals and faults to statuses.
//!
//! ```text
//!  listen ─► request id, panics, limits ─► Caller (who, quota) ─► strict body ─► policy ─► books ─► wire
//! ```
//! One endpoint, one file. The OpenAPI document is made from this code and is the truth.

mod app;
mod attempts;
mod caller;
mod document;
mod documented;
mod frame;
mod headers;
mod json;
pub mod listen;
mod making;
mod names;
mod page;
mod path;
mod problem;
mod query;
mod reading;
mod running;
mod submit;
pub mod wire;

mod accounts;
mod audit;
mod bank;
mod banker;
mod breaks;
mod cases;
mod events;
mod holds;
mod idempotency;
mod in_doubt;
mod keys;
mod metrics;
mod operations;
mod outbox;
mod payments;
mod probes;
mod problems;
mod rails;
mod transactions;
mod trial_balance;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

pub use app::{App, Settings};
pub use problem::Problem;

/// The public side: every request names its sender with an API key.
pub fn router(app: Arc<App>) -> Router {
    let (router, mut document) = api().split_for_parts();
    document::name_operations(&mut document);
    frame::around(router, app, document)
}

/// The side of the socket in the data folder: whoever can open it acts as the administrator `local`.
pub fn local_router(app: Arc<App>) -> Router {
    router(app).layer(axum::Extension(caller::Local))
}

/// The side of the queues: what a broker delivers is asked for in their own name.
pub fn queue_router(app: Arc<App>) -> Router {
    router(app).layer(axum::Extension(caller::Queued))
}

fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(document::Base::openapi())
        .merge(metrics::router())
        .nest("/api/v1", probes::router())
        .nest("/api/v1/accounts", accounts::router())
        .nest("/api/v1/bank", bank::router())
        .nest("/api/v1/banker", banker::router())
        .nest("/api/v1/holds", holds::router())
        .nest("/api/v1/idempotency", idempotency::router())
        .nest("/api/v1/trial-balance", trial_balance::router())
        .nest("/api/v1/business-day", operations::business_day())
        .nest("/api/v1/clock", operations::clock())
        .nest("/api/v1/balance-breaks", breaks::router())
        .nest("/api/v1/keys", keys::router())
        .nest("/api/v1/audit", audit::router())
        .nest("/api/v1/events", events::router())
        .nest("/api/v1/outbox", outbox::router())
        .nest("/api/v1/transactions", transactions::router())
        .nest("/api/v1/payments", payments::router())
        .nest("/api/v1/cases", cases::router())
        .nest("/api/v1/in-doubt", in_doubt::router())
        .nest("/api/v1/rails", rails::router())
        .nest("/api/v1/webhooks", webhooks::router())
}
