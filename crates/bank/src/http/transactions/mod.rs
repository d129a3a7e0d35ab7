//! `/api/v1/transactions`: moving money, and looking at what was moved.

mod transfer;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(transfer::transfer))
}
