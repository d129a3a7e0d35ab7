//! `/api/v1/cases`: what a person has to look at.

mod list;
mod read;
mod resolve;
mod shown;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::app::App;
use super::problem::Problem;
use crate::payments::case::Case;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(resolve::resolve))
}

async fn find(app: &App, id: &str) -> Result<Case, Problem> {
    let found = match Uuid::parse_str(id) {
        Ok(id) => app.service.payments.case(id).await.map_err(super::keys::database_failed)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Problem::not_found("There is no such case."))
}
