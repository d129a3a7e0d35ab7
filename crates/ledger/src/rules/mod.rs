//! The rules: a request and the books in, an event or a refusal out. Nothing is written here.
//!
//! ```text
//!  decide ─┬─ account   open, change status and limits
//!          ├─ post      deposit, withdrawal, transfer, entries
//!          ├─ hold      place, capture, void, expire
//!          ├─ reverse   take back, whole or in part
//!          ├─ day       business days
//!          └─ name      interned names
//! ```
//!
//! Every refusal comes before the first effect. Each rule collects lines, [`draft::Draft`] turns lines into
//! entries and checks, account by account, what entries may do: currency, status, funds, overflow. So there
//! is one place where a balance is looked at, whatever the intent was called.

mod account;
mod day;
mod draft;
mod group;
mod hold;
mod name;
mod overlay;
mod post;
mod reverse;

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

use crate::command::{Command, Note, Request};
use crate::date::Date;
use crate::digest::Digest;
use crate::event::{Body, Event};
use crate::ids::Sequence;
use crate::limits::{DESCRIPTION_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX};
use crate::refusal::{Code, Refusal};
use crate::view::View;

pub use group::decide_group;
pub use overlay::Overlay;
pub(crate) use overlay::hold_of as overlay_hold;

/// What the sequencer stamps on a decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The sequence that the next event gets.
    pub sequence: Sequence,
    /// The time of the batch, microseconds since 1970.
    pub time: i64,
}

/// Decides one request.
///
/// Whether its key was used before is the caller's question ([`View::claimed`]), since the answer is not a
/// decision but an older one.
///
/// # Errors
/// The refusal; nothing has changed.
pub fn decide<V: View>(view: &V, request: &Request, context: Context) -> Result<Event, Refusal> {
    if let Some(note) = &request.note {
        name::within(note.reference.as_deref().unwrap_or_default(), REFERENCE_BYTES_MAX)?;
        name::within(note.description.as_deref().unwrap_or_default(), DESCRIPTION_BYTES_MAX)?;
    }
    if request.value.is_some() && !posts(&request.command) {
        return Err(Refusal::new(Code::ValueDateNotTaken));
    }
    match &request.command {
        Command::Deposit(movement) => post::deposit(view, request, context, movement),
        Command::Withdraw(movement) => post::withdraw(view, request, context, movement),
        Command::Transfer(movement) => post::transfer(view, request, context, movement),
        Command::Post { lines } => post::lines(view, request, context, lines),
        Command::Hold { .. } => hold::place(view, request, context),
        Command::Capture { hold, amount, to } => hold::capture(view, request, context, *hold, *amount, *to),
        Command::Void { hold } => hold::void(view, request, context, *hold),
        Command::Prepare(movement) => hold::prepare(view, request, context, movement),
        Command::Commit { hold } => hold::commit(view, request, context, *hold),
        Command::Abort { hold } => hold::abort(view, request, context, *hold),
        Command::Expire { hold } => hold::expire(view, request, context, *hold),
        Command::Reverse { original, extent } => reverse::reverse(view, request, context, original, extent),
        Command::OpenAccount(wish) => account::open(view, request, context, wish),
        Command::ChangeAccount { account, status, overdraft_limit, expected_version } => {
            let change = account::Change {
                status: *status,
                overdraft_limit: *overdraft_limit,
                expected_version: *expected_version,
            };
            account::change(view, request, context, *account, change)
        }
        Command::OpenDay { date } => day::open(view, request, context, *date),
        Command::CloseDay { date } => day::close(view, request, context, *date),
        Command::Name { kind, text } => name::intern(view, request, context, *kind, text),
    }
}

/// Does it become a transaction? Listed one by one: a new command has to say.
fn posts(command: &Command) -> bool {
    match command {
        Command::Deposit(_)
        | Command::Withdraw(_)
        | Command::Transfer(_)
        | Command::Post { .. }
        | Command::Capture { .. }
        | Command::Commit { .. }
        | Command::Reverse { .. } => true,
        Command::Hold { .. }
        | Command::Void { .. }
        | Command::Prepare(_)
        | Command::Abort { .. }
        | Command::Expire { .. }
        | Command::OpenAccount(_)
        | Command::ChangeAccount { .. }
        | Command::OpenDay { .. }
        | Command::CloseDay { .. }
        | Command::Name { .. } => false,
    }
}

/// The event that keeps a refusal under the key of its request.
#[must_use]
pub fn record_refusal<V: View>(view: &V, request: &Request, context: Context, refusal: Refusal) -> Event {
    event(view, request, context, Body::Refused(refusal))
}

/// Whether a bank may be called so.
///
/// # Errors
/// The refusal: it is too long.
pub fn bank_name(name: &str) -> Result<(), Refusal> {
    name::within(name, NAME_BYTES_MAX)
}

/// The first event of a bank.
///
/// # Errors
/// As [`bank_name`].
pub fn open_bank(bank: [u8; 16], timeline: u32, name: &str, context: Context) -> Result<Event, Refusal> {
    bank_name(name)?;
    let today = Date::of_micros(context.time);
    Ok(Event {
        sequence: context.sequence,
        time: context.time,
        booking: today,
        value: today,
        principal: Default::default(),
        actor: Default::default(),
        origin: Default::default(),
        key: Digest::NONE,
        fingerprint: Digest::NONE,
        in_group: false,
        entries: SmallVec::new(),
        note: None,
        body: Body::BankOpened { bank, timeline, name: name.into() },
    })
}

/// An event with no entries yet, booked on the open day; where none is needed, on the last one, so that
/// booking dates never go back. Only a transaction counts from another day than that.
fn event<V: View>(view: &V, request: &Request, context: Context, body: Body) -> Event {
    let day = view.day();
    let booking = day.open.or(day.newest).unwrap_or_else(|| Date::of_micros(context.time));
    let value = request.value.filter(|_| matches!(body, Body::Posted { .. })).unwrap_or(booking);
    Event {
        sequence: context.sequence,
        time: context.time,
        booking,
        value,
        principal: request.principal,
        actor: request.actor,
        origin: request.origin,
        key: request.key,
        fingerprint: request.fingerprint,
        in_group: false,
        entries: SmallVec::new(),
        // A note that says nothing leaves no trace in the record, so it leaves none in the event.
        note: request.note.clone().filter(|note| **note != Note::default()),
        body,
    }
}
