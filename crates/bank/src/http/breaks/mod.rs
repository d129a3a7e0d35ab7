//! `/api/v1/balance-breaks`: balances in the tables that their entries do not explain.
//!
//! Only books in a database have balances beside the events; others never have such a finding.

mod close;
mod list;
mod shown;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list::list_breaks)).routes(routes!(close::close_break))
}
