//! `POST /api/v1/rails/{rail}/notices`: what a rail tells without being asked. Known by its signature, not by a key.

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
use crate::payments::incoming::{Arrival, Received};
use crate::payments::rail::settings::RailSettings;
use crate::payments::rail::wire::{Notice, Reply};

/// Take a notice of a rail
///
/// A payment that it was given stands somewhere else now, or money came in for somebody here. Signed as
/// docs/rail-protocol.md says; the answer is signed too. Telling it again changes nothing.
#[utoipa::path(
    post, path = "/{rail}/notices", tag = "rails",
    params(("rail" = String, Path, description = "The rail's name", example = "partner")),
    request_body(content = Notice, example = json!({
        "notice": "payment", "reference": "019aa3f07c007abc8def0123456789ab", "status": "settled"})),
    responses((status = 200, description = "It is ours now"), Problems),
    security(("rail_signature" = []))
)]
pub(super) async fn notice(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let Heard { rail, from, signed, body } = Heard::read(&app, &name, request).await?;
    match json::parse(&body)? {
        Notice::Payment { reference, status, code, reason } => {
            let said = Reply { reference: reference.clone(), status, code, reason }.said();
            let heard = app.service.payments.told(&rail.name, &reference, &said).await.map_err(failed)?;
            if !heard {
                app.turn_notice(&rail.name, "unknown_payment", from);
                return Err(Problem::not_found("No payment with this reference was given to this rail."));
            }
        }
        Notice::Incoming { reference, amount, currency, debtor, beneficiary, description } => {
            let arrival = Arrival { reference, amount, currency, debtor, beneficiary, description };
            arrived(&app, &rail, &arrival).await?;
        }
    }
    Ok(signed::answer(&app, &rail, &signed, br#"{"received":true}"#.to_vec()))
}

async fn arrived(app: &App, rail: &RailSettings, arrival: &Arrival) -> Result<(), Problem> {
    let Arrival { reference, debtor, beneficiary, description, .. } = arrival;
    signed::texts_fit(reference, debtor, beneficiary, description.as_deref())?;
    match app.service.payments.receive(rail, arrival).await.map_err(failed)? {
        Received::Taken { .. } => Ok(()),
        Received::ReferenceReused => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "reference_reused",
            "Reference reused",
            "This reference was used for another payment; nothing was credited.",
            "Use one reference for one payment.",
        )),
        Received::CurrencyNotCarried => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "currency_not_carried",
            "Currency not carried",
            "The rail does not carry this currency; nothing was credited.",
            "Agree on the currencies of the rail.",
        )),
        Received::Amount(error) => Err(Problem::amount("amount", &arrival.amount, error)),
    }
}
