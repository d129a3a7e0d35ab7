//! Making a ledger's request of a command's body: the form and the policy, without waiting.
//!
//! A single request and a command in a batch of thousands are made by the same functions. What the policy
//! must know of an account never changes, so nobody has to be asked for it.

use std::cell::Cell;

use axum::http::StatusCode;
use ledger::command::Original;
use ledger::event::Body;
use ledger::refusal::{Code, Refusal};
use ledger::{AccountId, Currency, Event, Sequence};
use uuid::Uuid;

use super::app::App;
use super::caller::Caller;
use super::problem::Problem;
use super::wire::{self, Clean};
use crate::identity::{AccountRef, Action, Object};

/// What the making of a request may ask without waiting.
pub(super) struct Making<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    /// The last currency that was looked up: a batch has mostly one.
    currency: Cell<Option<Currency>>,
}

impl<'a> Making<'a> {
    pub(super) fn new(app: &'a App, caller: &'a Caller) -> Self {
        Making { app, caller, currency: Cell::new(None) }
    }

    /// An account as the policy sees it; one that is not there counts as the bank's own.
    pub(super) fn account(&self, id: AccountId) -> AccountRef {
        self.app.account_ref(id)
    }

    pub(super) fn currency(&self, code: &Clean<'_>) -> Result<Currency, Problem> {
        if let Some(last) = self.currency.get()
            && last.code() == code.0
        {
            return Ok(last);
        }
        let currency = wire::currency(&code.0)?;
        self.currency.set(Some(currency));
        Ok(currency)
    }

    /// The event that placed a hold which the caller may end. A hold that is not there and one that is
    /// somebody else's are answered alike. Reads the disk.
    pub(super) fn hold_to_end(&self, id: Sequence) -> Result<Event, Problem> {
        let event = self.app.service.books.reads().event(id)?;
        let placed = event.filter(|event| matches!(event.body, Body::HoldPlaced { .. }));
        let Some(placed) = placed else {
            self.caller.may(Action::EndHold, NO_HOLD).map_err(|problem| hidden(id, problem))?;
            return Err(unknown_hold(id));
        };
        let account = self.account(placed.entries[0].account);
        let hold = Object::Hold { account, placed_by: placed.principal.0 };
        self.caller.may(Action::EndHold, hold).map_err(|problem| hidden(id, problem))?;
        Ok(placed)
    }

    /// A transaction that is to be reversed. Reads the disk.
    pub(super) fn original(&self, id: Sequence) -> Result<Original, Problem> {
        let event = self.app.service.books.reads().event(id)?;
        // Taken back by hand, the money could go out twice: only the payment knows whether the rail still pays.
        if let Some(payment) = event.as_ref().and_then(|event| event.note.as_ref()?.payment) {
            return Err(belongs_to_payment(id, payment));
        }
        let found = event.and_then(|event| {
            let kind = event.transaction()?;
            let lines = event.posted().map(ledger::Entry::line).collect();
            Some(Original { sequence: id, kind, lines })
        });
        found.ok_or_else(|| {
            let refusal = Refusal::new(Code::UnknownTransaction).figures(id.0.into(), 0);
            Problem::refused(&refusal, false)
        })
    }
}

/// A hold of nobody's: whoever may end any hold hears that it is not there, the others what they always hear.
const NO_HOLD: Object<'_> = Object::Hold { account: AccountRef { id: 0, of_customer: true }, placed_by: 0 };

fn hidden(id: Sequence, problem: Problem) -> Problem {
    if problem.status == 404 { unknown_hold(id) } else { problem }
}

fn belongs_to_payment(id: Sequence, payment: [u8; 16]) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "belongs_to_payment",
        "Belongs to a payment",
        format!("Transaction {id} is a step of a payment."),
        "Cancel the payment, or resolve its case.",
    )
    .with("payment_id", Uuid::from_bytes(payment).to_string())
}

pub(super) fn unknown_hold(id: Sequence) -> Problem {
    Problem::refused(&Refusal::new(Code::UnknownHold).figures(id.0.into(), 0), false)
}
