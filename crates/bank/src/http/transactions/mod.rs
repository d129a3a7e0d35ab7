//! `/api/v1/transactions`: moving money, and looking at what was moved.

mod batch;
mod filter;
mod journal_entry;
mod list;
mod read;
mod reversal;
mod status;
mod transfer;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(journal_entry::post_entries))
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(batch::batch))
        .routes(routes!(transfer::transfer))
        .routes(routes!(reversal::reverse))
}
