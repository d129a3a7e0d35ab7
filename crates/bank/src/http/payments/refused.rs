//! Why a payment was not made, as problems.

use axum::http::StatusCode;
use ledger::{AccountId, Code, Currency, Refusal};

use crate::http::app::App;
use crate::http::keys::database_failed;
use crate::http::problem::Problem;
use crate::payments::PaymentError;
use crate::payments::order::{Refused, Wish};
use crate::payments::payment::Payment;
use crate::sequencer::Fault;

/// What the wish was refused for.
pub(super) fn refused(why: &Refused, wish: &Wish) -> Problem {
    let no = |code, title, remedy| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title, why.to_string(), remedy)
    };
    match why {
        Refused::UnknownRail(_) => {
            no("unknown_rail", "Unknown rail", "Use one of the rails that GET /api/v1/rails lists.")
        }
        Refused::RailPaused(_) => {
            no("rail_paused", "Rail paused", "Use another rail, or send it again when the rail is open.")
        }
        Refused::CurrencyNotCarried { .. } => no(
            "currency_not_carried",
            "Currency not carried",
            "Use a rail that carries the currency: GET /api/v1/rails.",
        ),
        Refused::ModeNotCarried { .. } => no(
            "mode_not_carried",
            "Mode not carried",
            "Leave mode out; two_phase is for rails to another bankcore.",
        ),
        Refused::OverLimit { limit, currency } => no(
            "amount_over_limit",
            "Amount over the rail's limit",
            "Send a smaller amount, or use another rail.",
        )
        .with("limit", limit.as_str())
        .with("currency", *currency),
        Refused::IbanInvalid(_) => no("iban_invalid", "Not an IBAN", "Check the beneficiary's IBAN."),
        Refused::Beneficiary => {
            no("beneficiary_invalid", "Not a beneficiary", "Correct the beneficiary's name and account.")
        }
        Refused::NotACustomers => no(
            "payer_not_customer",
            "Not a customer's account",
            "Name a customer's account as from_account_id.",
        ),
        Refused::OtherCurrency(code) => {
            let refusal = Refusal::new(Code::CurrencyMismatch).on(wish.account);
            let currency = Currency::from_code(code).unwrap_or(wish.currency);
            Problem::refused(&refusal.in_currency(currency), false)
        }
        Refused::KeyReused => Problem::key_reused(),
    }
}

/// The books refused to fund it: the same problem as for any other posting, for ever.
pub(super) fn unfunded(app: &App, payment: &Payment, replayed: bool) -> Result<Problem, Problem> {
    let event = match payment.refusal {
        Some(sequence) => app.service.books.reads().event(sequence)?,
        None => None,
    };
    let refusal = match event.map(|event| event.body) {
        Some(ledger::Body::Refused(refusal)) => refusal,
        _ => Refusal::new(Code::UnknownTransaction).on(AccountId(payment.account.0)),
    };
    Ok(Problem::refused(&refusal, replayed).with("payment_id", payment.id.to_string()))
}

/// The machine could not.
pub(in crate::http) fn failed(error: PaymentError) -> Problem {
    match error {
        PaymentError::Database(error) => database_failed(error),
        PaymentError::Books(fault) => fault.into(),
        PaymentError::Unnamed(unnamed) => unnamed.into(),
        PaymentError::Randomness(error) => {
            tracing::error!(%error, "the system gives no randomness");
            Fault::Stopped.into()
        }
    }
}
