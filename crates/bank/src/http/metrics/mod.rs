//! `GET /metrics`: figures for Prometheus. Nothing about customers; of amounts only the sum at risk.

mod payments;
mod requests;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::caller::Caller;
use super::documented::Problems;
use super::problem::Problem;
use crate::identity::{Action, Object};

pub(super) use requests::{Requests, measure};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Who may read figures: somebody at this machine, or with a key that may.
pub(in crate::http) struct Scraper;

impl FromRequestParts<Arc<App>> for Scraper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if local(parts, app) {
            return Ok(Scraper);
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        caller.may(Action::ReadMetrics, Object::Bank)?;
        Ok(Scraper)
    }
}

/// Behind a proxy everybody comes from here, so then nobody is taken for local.
fn local(parts: &Parts, app: &App) -> bool {
    let proxied = app.settings.behind_proxy || parts.headers.contains_key("x-forwarded-for");
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    !proxied && peer.is_some_and(|peer| peer.0.ip().is_loopback())
}

/// Read figures
///
/// In the text format of Prometheus. From this machine without a key, otherwise for whoever may read metrics.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "The figures", body = String, content_type = "text/plain"), Problems),
    security((), ("api_key" = []))
)]
pub(super) async fn metrics(State(app): State<Arc<App>>, _: Scraper) -> Response {
    let mut out = String::with_capacity(16 << 10);
    app.requests().render(&mut out);
    service(&app, &mut out);
    payments::render(&app, &mut out).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}

fn service(app: &App, out: &mut String) {
    let books = &app.service.books;
    let totals = books.totals();
    let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let counter = ["bankcore_batches_total", "bankcore_commands_total"];
    let mut figures = vec![
        ("bankcore_batches_total", load(&totals.batches)),
        ("bankcore_commands_total", load(&totals.commands)),
        ("bankcore_batch_size", load(&totals.newest)),
        ("bankcore_queue_depth", books.waiting() as f64),
        ("bankcore_sequence", books.reads().head().sequence.0 as f64),
        ("bankcore_connections", app.connections() as f64),
        ("bankcore_streams", app.streams() as f64),
        ("bankcore_api_keys", app.service.keys.directory().all().len() as f64),
    ];
    figures.extend(books.reads().figures());
    figures.extend(memory().map(|bytes| ("process_resident_memory_bytes", bytes)));
    for (name, value) in figures {
        let kind = if counter.contains(&name) { "counter" } else { "gauge" };
        let _ = writeln!(out, "# TYPE {name} {kind}\n{name} {value}");
    }
}

/// What the process takes of the machine's memory, where the system tells.
fn memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64)
}
