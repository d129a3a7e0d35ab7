//! `POST /api/v1/rails/{rail}/two-phase`: what another bankcore asks. Known by its signature, not by a key.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::signed::{self, Heard};
use crate::http::app::App;
use crate::http::documented::Problems;
use crate::http::json;
use crate::http::payments::failed;
use crate::http::problem::Problem;
use crate::payments::two_phase::asked::Answered;
use crate::payments::two_phase::wire::{Question, Reply};

/// Answer another bankcore
///
/// Prepare, commit, abort and status are for the bank of the beneficiary; decision is for the bank of the payer.
/// Signed as docs/two-phase.md says; the answer is signed too, and what it says is durable. Asking again changes
/// nothing.
#[utoipa::path(
    post, path = "/{rail}/two-phase", tag = "rails",
    params(("rail" = String, Path, description = "The rail's name", example = "sister")),
    request_body(content = Question, example = json!({
        "operation": "commit", "reference": "019aa3f07c007abc8def0123456789ab"})),
    responses((status = 200, description = "Where this bank's side stands", body = Reply), Problems),
    security(("rail_signature" = []))
)]
pub(super) async fn two_phase(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Heard { rail, from, signed, body } = Heard::read(&app, &name, request).await?;
    let question: Question = json::parse(&body)?;
    if let Question::Prepare { reference, debtor, beneficiary, description, .. } = &question {
        signed::texts_fit(reference, debtor, beneficiary, description.as_deref())?;
    }
    if !(1..=ledger::limits::REFERENCE_BYTES_MAX).contains(&question.reference().len()) {
        return Err(Problem::malformed("A reference has 1 to 128 bytes."));
    }
    let no = |code, title, detail: &str, remedy| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, detail, remedy)
    };
    match app.service.payments.asked(&rail, &question).await.map_err(failed)? {
        Answered::Reply(reply) => {
            let body = serde_json::to_vec(&reply).expect("a reply is JSON");
            Ok(signed::answer(&app, &rail, &signed, body))
        }
        Answered::NotYet => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "two_phase_not_done",
            "Not done yet",
            "It is durable here; the books have not done it yet.",
            "Ask again.",
        )
        .retry_after(Some(1))),
        Answered::Reflected => {
            app.turn_notice(&rail.name, "reflected", from);
            let detail = "This is a question of our own that came back.";
            let remedy = "Use references of your own; check who stands between the two banks.";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "signature_invalid", "Not yours", detail, remedy))
        }
        Answered::NotAPeer => Err(no(
            "mode_not_carried",
            "Mode not carried",
            "The rail is not set up for two-phase commits.",
            "Agree with the other bank: rail set --two-phase on both sides.",
        )),
        Answered::ReferenceReused => Err(no(
            "reference_reused",
            "Reference reused",
            "This reference was used for another payment; nothing was prepared.",
            "Use one reference for one payment.",
        )),
        Answered::Amount(error) => {
            let Question::Prepare { amount, .. } = &question else { unreachable!("only they have one") };
            Err(Problem::amount("amount", amount, error))
        }
    }
}
