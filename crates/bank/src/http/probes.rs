//! `GET /api/v1/health` and `GET /api/v1/ready`: for whoever decides where requests are sent. No key needed.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use super::query::{Nothing, Query};
use crate::sequencer::Fault;

/// How long an answer about readiness is good: whoever asks without a key must not keep the books busy.
const GOOD_FOR: Duration = Duration::from_millis(250);

/// Books that do not answer within this time are overloaded.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The last answer about readiness.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Result<(), Fault>)>>);

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(ready))
}

/// The service's state in a word.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(in crate::http) struct Health {
    /// alive or ready.
    #[schema(example = "ready")]
    status: &'static str,
}

/// Is the process alive?
///
/// Yes, whenever this answers. Ask `ready` whether it can do its work.
#[utoipa::path(
    get, path = "/health", tag = "health",
    responses((status = 200, description = "Alive", body = Health))
)]
pub(super) async fn health(Query(Nothing {}): Query<Nothing>) -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Can requests be decided now?
///
/// If not, the problem says why: the journal failed, the disk is full, the clock jumped, too much waits.
#[utoipa::path(
    get, path = "/ready", tag = "health",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "Not now, and why", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ready(State(app): State<Arc<App>>, Query(Nothing {}): Query<Nothing>) -> Response {
    match app.ready().await {
        Ok(()) => Json(Health { status: "ready" }).into_response(),
        Err(fault) => Problem::from(fault).into_response(),
    }
}

impl App {
    async fn ready(&self) -> Result<(), Fault> {
        if *self.stopping().borrow() {
            return Err(Fault::Stopped);
        }
        let known = self.readiness().0.lock().clone();
        if let Some((at, answer)) = known
            && at.elapsed() < GOOD_FOR
        {
            return answer;
        }
        let answer = tokio::time::timeout(ANSWER_TIME, self.service.books.ready()).await;
        let answer = answer.unwrap_or(Err(Fault::Overloaded));
        *self.readiness().0.lock() = Some((Instant::now(), answer.clone()));
        answer
    }
}
