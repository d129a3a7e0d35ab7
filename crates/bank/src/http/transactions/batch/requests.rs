//! From the commands of a batch to the ledger's requests.
//!
//! Made without waiting, thousands in one go. Only if older events must be read, the making moves to a thread
//! that may wait for the disk.

use axum::http::StatusCode;
use ledger::limits::GROUP_MAX;
use ledger::{Digest, Request, codec};

use super::Form;
use super::input::{self, Member, Wish};
use crate::http::app::App;
use crate::http::banker::Direction;
use crate::http::caller::Caller;
use crate::http::headers::IdempotencyKey;
use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::start_clock;

/// The requests of a batch.
pub(super) struct Made {
    pub(super) atomic: bool,
    /// How many commands there were.
    pub(super) count: usize,
    /// Those that are to be decided, in order, each with key and fingerprint.
    pub(super) requests: Vec<Request>,
    /// Those that are not, by position, rising.
    pub(super) failed: Vec<(usize, Problem)>,
    /// The fingerprint of the whole, if it is atomic.
    pub(super) fingerprint: Digest,
}

/// How the making went.
pub(super) enum Went {
    Through(Made),
    /// Older events must be read, on a thread that may wait.
    NeedsDisk,
}

/// Makes the requests of a batch. `may_wait`: this thread may wait for the disk.
pub(super) fn make(
    app: &App,
    caller: &Caller,
    form: Form,
    bytes: &[u8],
    may_wait: bool,
) -> Result<Went, Problem> {
    let input = match form {
        Form::Json => input::json(bytes)?,
        Form::Lines { atomic } => input::Input { atomic, ..input::lines(bytes) },
    };
    if input.too_many {
        return Err(too_many());
    }
    if input.members.is_empty() {
        return Err(Problem::malformed("The batch holds no command."));
    }
    let needs_disk = |read: &input::Read<'_>| read.as_ref().is_ok_and(|member| member.wish.needs_disk());
    if !may_wait && input.members.iter().any(needs_disk) {
        return Ok(Went::NeedsDisk);
    }
    let making = Making::new(app, caller);
    let (atomic, count) = (input.atomic, input.members.len());
    let (mut requests, mut failed) = (Vec::with_capacity(count), Vec::new());
    for (index, read) in input.members.into_iter().enumerate() {
        match read.and_then(|member| request(&member, atomic, &making)) {
            Ok(request) => requests.push(request),
            Err(problem) => failed.push((index, problem)),
        }
    }
    let fingerprint = if atomic { codec::fingerprint::of_group(requests.iter()) } else { Digest::NONE };
    let now = app.now();
    requests.iter_mut().for_each(|request| start_clock(request, now));
    Ok(Went::Through(Made { atomic, count, requests, failed, fingerprint }))
}

fn request(member: &Member<'_>, atomic: bool, making: &Making<'_>) -> Result<Request, Problem> {
    let key = match member.key.as_deref() {
        Some(text) => making.caller.claim(IdempotencyKey::bare(text)?),
        None if atomic => Digest::NONE,
        None => return Err(no_key()),
    };
    let request = match &member.wish {
        Wish::Transfer(body) => body.request(making),
        Wish::Deposit(body) => body.request(Direction::In, making),
        Wish::Withdrawal(body) => body.request(Direction::Out, making),
        Wish::Entries(body) => body.request(making),
        Wish::Hold(body) => body.request(making),
        Wish::Capture(hold, body) => body.request(*hold, making),
        Wish::Void(hold, body) => body.request(*hold, making),
        Wish::Reversal(original, body) => body.request(*original, making),
    };
    Ok(request?.with_key(key))
}

fn no_key() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "idempotency_key_missing",
        "Idempotency key missing",
        "Each command of an independent batch names its intent in idempotency_key.",
        "Give each command a key of its own, or send the batch as atomic under one key in the header.",
    )
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "batch_too_large",
        "Batch too large",
        format!("A batch holds at most {GROUP_MAX} commands."),
        "Send several batches.",
    )
}
