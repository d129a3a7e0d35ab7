//! `POST /api/v1/transactions/batch`: thousands of commands in one request.
//!
//! ```text
//!  body ─► input (borrowed) ─► requests (form, policy) ─► books, all in one submission ─► answers (one buffer)
//!                                  │ ▲
//!                                  └─┘ once more, when accounts or older events had to be read
//! ```
//! Independent: each command has its own key and its own outcome, and a bad one stops nobody. Atomic: one key
//! in the header, one outcome.

mod answers;
mod documented;
mod input;
mod requests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use ledger::{Command, Digest, Sequence};
use serde::Deserialize;

use crate::books::{Decided, GroupDecided};
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::Problems;
use crate::http::headers::IdempotencyKey;
use crate::http::json;
use crate::http::problem::Problem;
use crate::http::submit::{accepted, mark};
use crate::identity::{Action, Object};
use crate::sequencer::{Outcome, Receipt};
use answers::{Answers, Ends};
use documented::{BatchBody, BatchResults};
use requests::{Made, Went};

/// A batch may be so many times as large as a single request.
const BODY_FACTOR: usize = 4;

const LINES: &str = "application/x-ndjson";

/// How the commands come and the results go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// One JSON object.
    Json,
    /// One command, one result a line.
    Lines {
        /// From the query, since no line is about the whole.
        atomic: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http::transactions) struct Options {
    atomic: Option<bool>,
}

/// Send many commands at once
///
/// Up to 8,192 commands, as JSON or one a line (`application/x-ndjson`); the results come in the same order
/// and form. *Independent* (the default): each command has its own `idempotency_key` and its own outcome; one
/// that is malformed or refused stops no other. *Atomic* (`"atomic": true`, or `?atomic=true` for lines): one
/// key in the header, and either all of it happens or none; then the answer is a problem document
/// `batch_refused` that names the `command` (from 0) and its `cause`.
#[utoipa::path(
    post, path = "/batch", tag = "transactions",
    params(
        ("Idempotency-Key" = Option<String>, Header, example = "payroll-2026-11",
            description = "The key of an atomic batch; an independent one has a key in each command instead"),
        ("atomic" = Option<bool>, Query, description = "For lines: all or none"),
    ),
    request_body(description = "The commands", content(
        (BatchBody = "application/json", example = json!({"commands": [
            {"idempotency_key": "p-1", "transfer": {"from_account_id": "101", "to_account_id": "102",
                "amount": "10.00", "currency": "BDT"}},
            {"idempotency_key": "p-2", "hold": {"account_id": "101", "amount": "5.00", "currency": "BDT"}}]})),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 200, description = "A result for each command, in order", content(
            (BatchResults = "application/json"),
            (String = "application/x-ndjson"),
        )),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(in crate::http::transactions) async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: Option<IdempotencyKey>,
    query: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    caller.may(Action::Batch, Object::Bank)?;
    let form = form(&request, query)?;
    let bytes = json::read(request, app.settings.body_bytes_max * BODY_FACTOR).await?;
    let made = make(&app, &caller, form, &bytes).await?;
    drop(bytes);
    let more = u32::try_from(made.count - 1).unwrap_or(u32::MAX);
    app.service.quota.take(caller.principal.0, more, app.now()).map_err(Problem::over_quota)?;
    match (made.atomic, key) {
        (true, Some(key)) => atomic(&app, &caller, form, &key, made).await,
        (true, None) => Err(Problem::no_key()),
        (false, None) => independent(&app, caller, form, made).await,
        (false, Some(_)) => Err(Problem::malformed(
            "The header Idempotency-Key is for an atomic batch; an independent one has a key in each command.",
        )),
    }
}

fn form(
    request: &Request,
    query: Result<Query<Options>, axum::extract::rejection::QueryRejection>,
) -> Result<Form, Problem> {
    let Query(options) =
        query.map_err(|_| Problem::malformed("The only parameter is atomic, true or false."))?;
    json::require_type(request.headers(), &["application/json", LINES])?;
    if json::require_type(request.headers(), &[LINES]).is_ok() {
        return Ok(Form::Lines { atomic: options.atomic.unwrap_or(false) });
    }
    match options.atomic {
        Some(_) => Err(Problem::malformed("In JSON, atomic is a field of the body.")),
        None => Ok(Form::Json),
    }
}

async fn make(app: &Arc<App>, caller: &Caller, form: Form, bytes: &Bytes) -> Result<Made, Problem> {
    if let Went::Through(made) = requests::make(app, caller, form, bytes, false)? {
        return Ok(made);
    }
    let (app, caller, bytes) = (Arc::clone(app), caller.clone(), bytes.clone());
    match blocking(move || requests::make(&app, &caller, form, &bytes, true)).await? {
        Went::Through(made) => Ok(made),
        Went::NeedsDisk => unreachable!("this thread may wait for the disk"),
    }
}

async fn independent(app: &Arc<App>, caller: Caller, form: Form, made: Made) -> Result<Response, Problem> {
    let books = &app.service.books;
    let fingerprints: Vec<Digest> = made.requests.iter().map(|request| request.fingerprint).collect();
    let ends_holds = made.requests.iter().any(|request| matches!(request.command, Command::Void { .. }));
    let receipt = match made.requests.is_empty() {
        true => None,
        false => Some(books.submit_each(made.requests).await?),
    };
    // Replays and voided holds are read from the disk.
    let earlier = |receipt: &Receipt| receipt.outcomes.iter().any(|one| matches!(one, Outcome::Earlier(_)));
    let waits = ends_holds || receipt.as_ref().is_some_and(earlier);
    let task = Arc::new((receipt, fingerprints, made.failed, caller));
    let mut ends = Ends::new();
    loop {
        let write = {
            let (app, task, ends) = (Arc::clone(app), Arc::clone(&task), ends.clone());
            move || {
                let (receipt, fingerprints, failed, caller) = &*task;
                let mut answers = Answers::new(&app.service.books, caller, form, made.count, &ends);
                answers.all(receipt.as_ref(), fingerprints, failed);
                Ok(answers.finish())
            }
        };
        let written = if waits { blocking(write).await? } else { write()? };
        match written {
            Ok(bytes) => return Ok(answered(form, bytes)),
            Err(wanted) => ends.extend(look_up(app, wanted).await?),
        }
    }
}

async fn look_up(app: &App, mut holds: Vec<Sequence>) -> Result<Ends, Problem> {
    holds.sort_unstable();
    holds.dedup();
    let found = join_all(holds.iter().map(|hold| app.service.books.hold(*hold))).await;
    let each = holds.iter().zip(found);
    Ok(each.map(|(hold, found)| found.map(|(_, end)| (*hold, end))).collect::<Result<_, _>>()?)
}

async fn atomic(
    app: &Arc<App>,
    caller: &Caller,
    form: Form,
    key: &IdempotencyKey,
    made: Made,
) -> Result<Response, Problem> {
    if let Some((index, problem)) = made.failed.into_iter().next() {
        return Err(refused(index, problem));
    }
    // The command of a header is not looked at.
    let mut header = caller.request(Command::Void { hold: Sequence(0) });
    header.key = caller.claim(&key.0);
    header.fingerprint = made.fingerprint;
    match app.service.books.submit_group(header, made.requests).await? {
        GroupDecided::Accepted { members, replayed, .. } => {
            let ends = Ends::new();
            let mut answers = Answers::new(&app.service.books, caller, form, members.len(), &ends);
            members.iter().for_each(|event| answers.event(event, replayed));
            let mut response = answered(form, answers.finish().unwrap_or_default());
            mark(&mut response, replayed);
            Ok(response)
        }
        GroupDecided::Not(Decided::Refused { mut refusal, replayed, event }) => {
            let member = refusal.member.take();
            let ended = (refusal.code == ledger::Code::HoldEnded).then_some(refusal.figures[0] as u64);
            let decided = Decided::Refused { refusal, replayed, event };
            let problem = match ended {
                Some(hold) => crate::http::holds::end_accepted(app, Sequence(hold), decided).await,
                None => accepted(decided),
            };
            let problem = problem.err().unwrap_or_else(Problem::key_reused);
            Err(match member {
                Some(index) => refused(usize::from(index), problem).replayed(replayed),
                None => problem,
            })
        }
        GroupDecided::Not(other) => Err(accepted(other).err().unwrap_or_else(Problem::key_reused)),
    }
}

/// The whole is refused because of one command.
fn refused(index: usize, cause: Problem) -> Problem {
    let status = StatusCode::from_u16(cause.status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let code = ledger::Code::BatchRefused;
    let detail = format!("Command {index} of the batch: {}", cause.detail);
    let document = serde_json::to_value(&cause).unwrap_or_default();
    Problem::new(status, code.name(), code.title(), detail, code.remedy())
        .with("command", index)
        .with("cause", document)
}

fn answered(form: Form, bytes: Vec<u8>) -> Response {
    let mut response = (StatusCode::OK, Body::from(bytes)).into_response();
    let kind = match form {
        Form::Json => "application/json",
        Form::Lines { .. } => LINES,
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Does something that may wait for the disk, on a thread that may.
async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(what).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(crate::sequencer::Fault::Stopped.into()),
        },
    }
}
