//! `/api/v1/in-doubt`: what this bank has promised others in two-phase commits, and waits for.

mod decide;
mod list;
mod read;
mod shown;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::app::App;
use super::problem::Problem;
use crate::payments::two_phase::promise::Promise;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(decide::decide))
}

async fn find(app: &App, id: &str) -> Result<Promise, Problem> {
    let found = match Uuid::parse_str(id) {
        Ok(id) => app.service.payments.promise(id).await.map_err(super::keys::database_failed)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Problem::not_found("There is no such promise."))
}
