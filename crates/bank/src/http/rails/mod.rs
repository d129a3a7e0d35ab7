//! `/api/v1/rails`: the ways to other institutions, and what they tell.

mod add_key;
mod body;
mod list;
mod notices;
mod put;
mod questions;
mod read;
mod retire_key;
mod shown;
mod signed;

use std::sync::Arc;

use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use crate::payments::rail::settings::RailSettings;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(put::put))
        .routes(routes!(add_key::add_key))
        .routes(routes!(retire_key::retire_key))
        .routes(routes!(notices::notice))
        .routes(routes!(questions::question))
}

async fn find(app: &App, name: &str) -> Result<RailSettings, Problem> {
    let rail = app.service.payments.rail(name).await.map_err(super::keys::database_failed)?;
    rail.ok_or_else(|| Problem::not_found("There is no such rail."))
}

/// 422: a rail or a key that cannot be.
fn not_possible(detail: impl Into<String>) -> Problem {
    let (title, remedy) = ("Such a rail is not possible", "Correct what the detail names.");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "rail_not_possible", title, detail, remedy)
}
