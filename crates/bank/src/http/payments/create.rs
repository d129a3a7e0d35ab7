//! `POST /api/v1/payments`: pays somebody at another institution.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use ledger::limits::{DESCRIPTION_BYTES_MAX, REFERENCE_BYTES_MAX};
use ledger::{Code, Digest, Refusal};
use serde::Deserialize;
use utoipa::ToSchema;

use super::refused::{failed, refused, unfunded};
use super::shown::Shown;
use crate::http::app::App;
use crate::http::caller::Caller;
use crate::http::documented::{KeyRequired, Problems};
use crate::http::headers::IdempotencyKey;
use crate::http::json::Raw;
use crate::http::making::Making;
use crate::http::problem::Problem;
use crate::http::submit::created;
use crate::http::wire::{AccountIdText, Amount, Clean};
use crate::identity::Action;
use crate::payments::desk::{Made, Maker};
use crate::payments::order::Wish;
use crate::payments::rail::Party;
use crate::payments::saga;
use crate::payments::two_phase::Mode;

/// A payment to another institution.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PaymentBody<'a> {
    /// Over which rail.
    #[serde(borrow)]
    #[schema(example = "partner")]
    rail: Clean<'a>,
    /// The account that pays.
    from_account_id: AccountIdText,
    /// How much, above zero.
    amount: Amount<'a>,
    /// The currency of the account.
    #[schema(example = "BDT")]
    currency: Clean<'a>,
    /// Who is paid.
    beneficiary: BeneficiaryBody<'a>,
    /// Free text for the statements, at most 512 bytes.
    description: Option<Clean<'a>>,
    /// Your business name for it, at most 128 bytes.
    reference: Option<Clean<'a>>,
    /// saga, if left out; or two_phase, for a rail to another bankcore: both banks commit it, or neither.
    #[schema(example = "saga")]
    mode: Option<Clean<'a>>,
}

/// Who is paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct BeneficiaryBody<'a> {
    /// The name, 1 to 140 bytes.
    #[serde(borrow)]
    #[schema(example = "Dora Demir")]
    name: Clean<'a>,
    /// The account there: letters and digits, for most rails an IBAN.
    #[schema(example = "GB33BUKB20201555555555")]
    account: Clean<'a>,
}

impl PaymentBody<'_> {
    fn wish(&self, making: &Making<'_>) -> Result<Wish, Problem> {
        let currency = making.currency(&self.currency)?;
        let amount = self.amount.positive("amount", currency)?;
        let account = self.from_account_id.0;
        making.caller.may_on(Action::Pay, making.account(account))?;
        let text = |text: &Option<Clean<'_>>, most: usize| match text {
            Some(text) if text.0.len() > most => {
                let refusal = Refusal::new(Code::TextTooLong).figures(text.0.len() as i128, most as i128);
                Err(Problem::refused(&refusal, false))
            }
            Some(text) if !text.0.is_empty() => Ok(Some(text.0.to_string())),
            _ => Ok(None),
        };
        let mode = match &self.mode {
            None => Mode::Saga,
            Some(name) => {
                Mode::named(&name.0).ok_or_else(|| Problem::malformed("mode is saga or two_phase."))?
            }
        };
        Ok(Wish {
            mode,
            rail: self.rail.0.to_string(),
            account,
            amount,
            currency,
            beneficiary: Party {
                name: self.beneficiary.name.0.trim().to_owned(),
                account: self.beneficiary.account.0.chars().filter(|c| *c != ' ').collect(),
            },
            client_reference: text(&self.reference, REFERENCE_BYTES_MAX)?,
            description: text(&self.description, DESCRIPTION_BYTES_MAX)?,
        })
    }
}

/// Pay somebody at another institution
///
/// The customer is debited at once, or in two phases the money is reserved; the rail is told then, or when its next
/// window opens (`queued_until`). The answer does not say that the beneficiary has the money: that is the state
/// `settled`.
#[utoipa::path(
    post, path = "", tag = "payments", params(KeyRequired),
    request_body(content = PaymentBody, example = json!({
        "rail": "partner", "from_account_id": "101", "amount": "2000.00", "currency": "BDT",
        "beneficiary": {"name": "Dora Demir", "account": "GB33BUKB20201555555555"},
        "description": "Rent", "reference": "INV-7"})),
    responses(
        (status = 201, description = "Made and funded; the header Location names it", body = Shown),
        Problems,
    ),
    security(("api_key" = []))
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    body: Raw,
) -> Result<Response, Problem> {
    let body: PaymentBody = body.parse()?;
    let wish = body.wish(&Making::new(&app, &caller))?;
    // The keys of a principal are one namespace: one that stands for a posting stands for no payment.
    if app.service.books.claim(Digest::of_key(caller.principal, &key.0)).await?.is_some() {
        return Err(Problem::key_reused());
    }
    let maker = Maker {
        principal: caller.credential.principal.to_string(),
        principal_id: caller.principal,
        actor: caller.as_actor(),
    };
    match app.service.payments.create(&wish, &key.0, &maker).await.map_err(failed)? {
        Made::Refused(why) => Err(refused(&why, &wish)),
        Made::Payment { payment, replayed } if payment.saga.state == saga::State::Refused => {
            Err(unfunded(&app, &payment, replayed)?)
        }
        Made::Payment { payment, replayed } => {
            let place = format!("/api/v1/payments/{}", payment.id);
            Ok(created(&place, &Shown::of(&payment, app.now()), replayed))
        }
    }
}
