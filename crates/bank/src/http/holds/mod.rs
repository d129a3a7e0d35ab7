//! `/api/v1/holds`: funds reserved, and the ends that a hold can have.

mod capture;
mod place;
mod read;
mod void;

use std::sync::Arc;

use ledger::event::HoldEnd;
use ledger::refusal::Code;
use ledger::{Event, Sequence};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::problem::Problem;
use super::submit::accepted;
use crate::books::Decided;
pub(super) use capture::CaptureBody;
pub(super) use place::HoldBody;
pub(super) use void::VoidBody;

pub(super) fn router() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(place::place))
        .routes(routes!(read::read))
        .routes(routes!(capture::capture))
        .routes(routes!(void::void))
}

/// As [`accepted`]; a refusal because the hold has ended says how it ended.
pub(super) async fn end_accepted(
    app: &App,
    hold: Sequence,
    decided: Decided,
) -> Result<(Event, bool), Problem> {
    let ended = matches!(&decided, Decided::Refused { refusal, .. } if refusal.code == Code::HoldEnded);
    match accepted(decided) {
        Err(problem) if ended => Err(with_end(app, hold, problem).await?),
        other => other,
    }
}

/// The same problem with how the hold ended: what a caller whose answer was lost wants to know.
pub(super) async fn with_end(app: &App, hold: Sequence, problem: Problem) -> Result<Problem, Problem> {
    let (_, claimed) = app.service.books.hold(hold).await?;
    let Some(claimed) = claimed else { return Ok(problem) };
    let Some(how) = HoldEnd::from_number(claimed.tag) else { return Ok(problem) };
    Ok(problem.with("ended", how.name()).with("ended_by", claimed.sequence.to_string()))
}
