//! What keeps a bank running from day to day: business days and the clock.

mod business_day;
mod clock;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;

pub(super) fn business_day() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(business_day::read))
        .routes(routes!(business_day::open))
        .routes(routes!(business_day::close))
}

pub(super) fn clock() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(clock::confirm))
}
