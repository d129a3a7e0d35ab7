//! `/api/v1/banker`: cash at the counter.

mod cash;
mod deposit;
mod withdrawal;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
pub(super) use cash::{CashBody, Direction};

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(deposit::deposit)).routes(routes!(withdrawal::withdraw))
}
