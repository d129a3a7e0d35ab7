//! `GET /api/v1/holds/{id}`: a hold as it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use ledger::{Event, Sequence};

use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::making::unknown_hold;
use crate::http::path::SequencePath;
use crate::http::problem::Problem;
use crate::http::wire::Hold;
use crate::identity::{Action, Object};
use crate::sequencer::Fault;

/// Read a hold
///
/// With its status: open, captured, voided or expired. Seen by whoever may see one of its accounts.
#[utoipa::path(
    get, path = "/{id}", tag = "holds",
    params(("id" = String, Path, description = "The hold", example = "123")),
    responses(
        (status = 200, description = "The hold as it stands", body = Hold),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    SequencePath(id): SequencePath,
) -> Result<Json<Hold>, Problem> {
    let books = &app.service.books;
    let placed = books.reads().event(id)?.filter(|event| Hold::of(event, None).is_some());
    let accounts: Vec<u64> =
        placed.iter().flat_map(|event| &event.entries).map(|one| one.account.0).collect();
    let seen = caller.may(Action::ReadTransaction, Object::Transaction(&accounts));
    // What is not there and what is somebody else's are answered alike.
    seen.map_err(|problem| if problem.status == 404 { unknown_hold(id) } else { problem })?;
    placed.ok_or_else(|| unknown_hold(id))?;
    let (open, claimed) = books.hold(id).await?;
    let ended = match (open, claimed) {
        (Some(_), _) => None,
        (None, Some(claimed)) => Some(event(&app, claimed.sequence)?),
        (None, None) => return Err(Fault::Unreadable(format!("hold {id} is lost")).into()),
    };
    Ok(Json(show(&app, id, ended.as_ref())?))
}

/// A hold and how it ended, if it has.
pub(super) fn show(app: &App, id: Sequence, ended: Option<&Event>) -> Result<Hold, Fault> {
    let placed = event(app, id)?;
    Hold::of(&placed, ended).ok_or_else(|| Fault::Unreadable(format!("event {id} placed no hold")))
}

fn event(app: &App, id: Sequence) -> Result<Event, Fault> {
    let found = app.service.books.reads().event(id)?;
    found.ok_or_else(|| Fault::Unreadable(format!("event {id} is claimed but not there")))
}
