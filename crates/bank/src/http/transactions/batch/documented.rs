//! The shapes of a batch for the OpenAPI document. The code reads and writes them by hand, for speed.
#![expect(dead_code, reason = "read by the derive only")]

use utoipa::ToSchema;

use super::input::{CaptureIn, ReversalIn, VoidIn};
use crate::http::banker::CashBody;
use crate::http::holds::HoldBody;
use crate::http::problem::Problem;
use crate::http::transactions::journal_entry::JournalBody;
use crate::http::transactions::transfer::TransferBody;
use crate::http::wire::{Hold, Transaction};

/// Many commands.
#[derive(ToSchema)]
pub(super) struct BatchBody {
    /// All or none; each on its own if absent.
    #[schema(default = false)]
    atomic: Option<bool>,
    /// 1 to 8,192 of them.
    #[schema(min_items = 1, max_items = 8192)]
    commands: Vec<BatchCommand>,
}

/// One command: a key and one of the others.
#[derive(ToSchema)]
struct BatchCommand {
    /// Needed unless the batch is atomic.
    #[schema(example = "p-1")]
    idempotency_key: Option<String>,
    transfer: Option<TransferBody<'static>>,
    deposit: Option<CashBody<'static>>,
    withdrawal: Option<CashBody<'static>>,
    entries: Option<JournalBody<'static>>,
    hold: Option<HoldBody<'static>>,
    capture: Option<CaptureIn<'static>>,
    void: Option<VoidIn<'static>>,
    reversal: Option<ReversalIn<'static>>,
}

/// What became of the commands.
#[derive(ToSchema)]
pub(super) struct BatchResults {
    /// One for each command, in order.
    results: Vec<BatchResult>,
}

/// What became of one command.
#[derive(ToSchema)]
struct BatchResult {
    /// As if it had been sent alone.
    #[schema(example = 201)]
    status: u16,
    /// It had been answered before, under the same key.
    replayed: Option<bool>,
    /// What was posted.
    transaction: Option<Transaction>,
    /// What was placed or voided.
    hold: Option<Hold>,
    /// Why it was not done.
    problem: Option<Problem>,
}
