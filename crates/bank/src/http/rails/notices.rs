//! `POST /api/v1/rails/{rail}/notices`: what a rail tells without being asked. Known by its signature, not by a key.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::find;
use crate::http::app::App;
use crate::http::documented::Problems;
use crate::http::json;
use crate::http::payments::failed;
use crate::http::problem::Problem;
use crate::payments::incoming::{Arrival, Received};
use crate::payments::rail::settings::RailSettings;
use crate::payments::rail::signature::{Forged, Signed, sign};
use crate::payments::rail::wire::{Notice, Reply};

/// Bytes of a notice at most.
const NOTICE_BYTES_MAX: usize = 64 << 10;

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
    json::require_type(request.headers(), &["application/json"])?;
    let rail = find(&app, &name).await?;
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let headers = request.headers().clone();
    let body = json::read(request, NOTICE_BYTES_MAX).await?;
    let signed = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()))
        .and_then(|signed| signed.verify(&rail.keys, app.now(), &body).map(|()| signed));
    let signed = signed.map_err(|why| forged(&app, &rail, from, why))?;
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
    Ok(answer(&app, &rail, &signed))
}

async fn arrived(app: &App, rail: &RailSettings, arrival: &Arrival) -> Result<(), Problem> {
    const LENGTHS: usize = 140;
    let texts = [
        &arrival.reference,
        &arrival.debtor.name,
        &arrival.debtor.account,
        &arrival.beneficiary.name,
        &arrival.beneficiary.account,
    ];
    let long = texts.iter().any(|text| text.len() > LENGTHS || text.chars().any(char::is_control));
    let described = arrival.description.as_ref().is_none_or(|text| {
        text.len() <= ledger::limits::DESCRIPTION_BYTES_MAX && !text.chars().any(char::is_control)
    });
    let referenced = (1..=ledger::limits::REFERENCE_BYTES_MAX).contains(&arrival.reference.len());
    if long || !described || !referenced {
        return Err(Problem::malformed(
            "A text is too long or holds a control character, or there is no reference.",
        ));
    }
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

fn forged(app: &App, rail: &RailSettings, from: Option<IpAddr>, why: Forged) -> Problem {
    let stale = why == Forged::Stale;
    app.turn_notice(&rail.name, if stale { "stale" } else { "forged" }, from);
    let (code, title) = if stale {
        ("signature_stale", "Signature stale")
    } else {
        ("signature_invalid", "Signature not right")
    };
    let remedy = "Sign id, time and body with a live key of the rail: docs/rail-protocol.md.";
    Problem::new(StatusCode::UNAUTHORIZED, code, title, format!("{why}."), remedy)
}

/// Signed, under the id of the notice.
fn answer(app: &App, rail: &RailSettings, notice: &Signed) -> Response {
    let body = br#"{"received":true}"#;
    let mut response = (StatusCode::OK, &body[..]).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let key = rail.keys.iter().find(|key| key.id == notice.key);
    for (name, value) in key.map(|key| sign(key, &notice.id, app.now(), body).headers()).into_iter().flatten()
    {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
