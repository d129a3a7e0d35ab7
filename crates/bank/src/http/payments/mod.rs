//! `/api/v1/payments`: money that leaves the building.

mod cancel;
mod create;
mod list;
mod read;
mod refused;
mod shown;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::app::App;
use super::caller::Caller;
use super::problem::Problem;
use crate::identity::{AccountRef, Action};
use crate::payments::payment::Payment;

pub(in crate::http) use refused::failed;
pub(in crate::http) use shown::Shown;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(create::create))
        .routes(routes!(list::list))
        .routes(routes!(read::read))
        .routes(routes!(cancel::cancel))
}

/// A payment that the caller may do this to. One that is not there and somebody else's are answered alike.
async fn find(app: &App, caller: &Caller, id: &str, action: Action) -> Result<Payment, Problem> {
    let found = match Uuid::parse_str(id) {
        Ok(id) => app.service.payments.payment(id).await.map_err(super::keys::database_failed)?,
        Err(_) => None,
    };
    let account = found.as_ref().map_or(AccountRef::bank(0), |payment| app.account_ref(payment.account));
    caller
        .may_on(action, account)
        .map_err(|problem| if problem.status == 404 { unknown() } else { problem })?;
    found.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found("There is no such payment, or it is not yours.")
}
