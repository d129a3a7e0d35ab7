//! What comes from the other end of a rail: believed by its signature, answered with one.

use std::net::{IpAddr, SocketAddr};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::find;
use crate::http::app::App;
use crate::http::json;
use crate::http::problem::Problem;
use crate::payments::rail::Party;
use crate::payments::rail::settings::RailSettings;
use crate::payments::rail::signature::{Forged, Signed, sign};

/// Bytes of a message at most.
const BYTES_MAX: usize = 64 << 10;

/// Bytes of a name, an account and a reference at most.
const TEXT_BYTES_MAX: usize = 140;

/// A message that is believed.
pub(super) struct Heard {
    pub(super) rail: RailSettings,
    pub(super) from: Option<IpAddr>,
    pub(super) signed: Signed,
    pub(super) body: Bytes,
}

impl Heard {
    /// Reads a message and checks its signature.
    pub(super) async fn read(app: &App, rail: &str, request: Request) -> Result<Heard, Problem> {
        json::require_type(request.headers(), &["application/json"])?;
        let rail = find(app, rail).await?;
        let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let headers = request.headers().clone();
        let body = json::read(request, BYTES_MAX).await?;
        let signed = Signed::read(|name| headers.get(name).and_then(|value| value.to_str().ok()))
            .and_then(|signed| signed.verify(&rail.keys, app.now(), &body).map(|()| signed));
        let signed = signed.map_err(|why| forged(app, &rail, from, why))?;
        Ok(Heard { rail, from, signed, body })
    }
}

/// 401, and a line in the audit trail.
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

/// Whether the texts of an order fit where they are kept.
pub(super) fn texts_fit(
    reference: &str,
    debtor: &Party,
    beneficiary: &Party,
    description: Option<&str>,
) -> Result<(), Problem> {
    let texts = [reference, &debtor.name, &debtor.account, &beneficiary.name, &beneficiary.account];
    let odd = |text: &str| text.chars().any(char::is_control);
    let long = texts.iter().any(|text| text.len() > TEXT_BYTES_MAX || odd(text));
    let described =
        description.is_none_or(|text| text.len() <= ledger::limits::DESCRIPTION_BYTES_MAX && !odd(text));
    let referenced = (1..=ledger::limits::REFERENCE_BYTES_MAX).contains(&reference.len());
    if !long && described && referenced {
        return Ok(());
    }
    Err(Problem::malformed("A text is too long or holds a control character, or there is no reference."))
}

/// Signed, under the id of the message.
pub(super) fn answer(app: &App, rail: &RailSettings, message: &Signed, body: Vec<u8>) -> Response {
    let key = rail.keys.iter().find(|key| key.id == message.key);
    let signature = key.map(|key| sign(key, &message.id, app.now(), &body).headers());
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in signature.into_iter().flatten() {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
