//! `POST /api/v1/rails/{rail}/questions`: what the institution at the other end asks. Known by its signature, not by a
//! key.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::signed::{self, Heard};
use crate::http::app::App;
use crate::http::documented::Problems;
use crate::http::json;
use crate::http::payments::failed;
use crate::http::problem::Problem;
use crate::payments::answered::Answered;
use crate::payments::rail::wire as saga;
use crate::payments::two_phase::wire as two_phase;

/// A question of either protocol: docs/rail-protocol.md, docs/two-phase.md.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Question {
    Saga(saga::Question),
    TwoPhase(two_phase::Question),
}

/// The answer to it, of the same protocol.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Reply {
    Saga(saga::Reply),
    TwoPhase(two_phase::Reply),
}

/// Answer the institution at the other end
///
/// Submit, enquire and cancel have somebody here credited: docs/rail-protocol.md. Prepare, commit, abort, status and
/// decision are for two-phase commits between bankcores: docs/two-phase.md. The answer is signed like the question,
/// and what it says is durable. Asking again changes nothing.
#[utoipa::path(
    post, path = "/{rail}/questions", tag = "rails",
    params(("rail" = String, Path, description = "The rail's name", example = "sister")),
    request_body(content = Question, example = json!({
        "operation": "enquire", "reference": "019aa3f07c007abc8def0123456789ab"})),
    responses((status = 200, description = "Where this bank's side stands", body = Reply), Problems),
    security(("rail_signature" = []))
)]
pub(super) async fn question(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let heard = Heard::read(&app, &name, request).await?;
    let payments = &app.service.payments;
    let reply = match Question::read(&heard.body)? {
        Question::Saga(question) => {
            let answered = payments.answer(&heard.rail, &question).await.map_err(failed)?;
            let amount = match &question {
                saga::Question::Submit { amount, .. } => amount,
                _ => "",
            };
            Reply::Saga(said(&app, &heard, answered, amount)?)
        }
        Question::TwoPhase(question) => {
            let answered = payments.asked(&heard.rail, &question).await.map_err(failed)?;
            let amount = match &question {
                two_phase::Question::Prepare { amount, .. } => amount,
                _ => "",
            };
            Reply::TwoPhase(said(&app, &heard, answered, amount)?)
        }
    };
    let body = serde_json::to_vec(&reply).expect("a reply is JSON");
    Ok(signed::answer(&app, &heard.rail, &heard.signed, body))
}

impl Question {
    /// Reads a question by its operation, so that what is wrong with it can be named.
    fn read(body: &[u8]) -> Result<Question, Problem> {
        #[derive(Deserialize)]
        struct Which {
            operation: String,
        }
        let Which { operation } = json::parse(body)?;
        let question = match operation.as_str() {
            "submit" | "enquire" | "cancel" => Question::Saga(json::parse(body)?),
            _ => Question::TwoPhase(json::parse(body)?),
        };
        let reference = match &question {
            Question::Saga(saga::Question::Submit {
                reference, debtor, beneficiary, description, ..
            })
            | Question::TwoPhase(two_phase::Question::Prepare {
                reference,
                debtor,
                beneficiary,
                description,
                ..
            }) => {
                signed::texts_fit(reference, debtor, beneficiary, description.as_deref())?;
                reference
            }
            Question::Saga(question) => question.reference(),
            Question::TwoPhase(question) => question.reference(),
        };
        if !(1..=ledger::limits::REFERENCE_BYTES_MAX).contains(&reference.len()) {
            return Err(Problem::malformed("A reference has 1 to 128 bytes."));
        }
        Ok(question)
    }
}

/// What was said; a problem says nothing about the payment.
fn said<R>(app: &App, heard: &Heard, answered: Answered<R>, amount: &str) -> Result<R, Problem> {
    let no = |code, title, detail: &str, remedy| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, detail, remedy)
    };
    Err(match answered {
        Answered::Reply(reply) => return Ok(reply),
        Answered::NotYet => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_done_yet",
            "Not done yet",
            "It is durable here; the books have not done it yet.",
            "Ask again.",
        )
        .retry_after(Some(1)),
        Answered::Reflected => {
            app.turn_notice(&heard.rail.name, "reflected", heard.from);
            let detail = "This is a question of our own that came back.";
            let remedy = "Use references of your own; check who stands between the two banks.";
            Problem::new(StatusCode::UNAUTHORIZED, "signature_invalid", "Not yours", detail, remedy)
        }
        Answered::NotAPeer => no(
            "mode_not_carried",
            "Mode not carried",
            "The rail is not set up for two-phase commits.",
            "Agree with the other bank: rail set --two-phase on both sides.",
        ),
        Answered::ReferenceReused => no(
            "reference_reused",
            "Reference reused",
            "This reference was used for another payment; nothing was credited or prepared.",
            "Use one reference for one payment.",
        ),
        Answered::UnknownCurrency => no(
            "currency_not_carried",
            "Currency not carried",
            "There is no such currency here; nothing was credited.",
            "Agree on the currencies of the rail.",
        ),
        Answered::Amount(error) => Problem::amount("amount", amount, error),
    })
}
