//! Strict JSON bodies: the right type, within the limits, no unknown and no repeated fields.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::app::App;
use super::problem::Problem;

/// A body that takes longer than this is given up: a slow sender must not hold a place for ever.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        require_type(request.headers(), &["application/json"])?;
        let bytes = read(request, app.settings.body_bytes_max).await?;
        parse(&bytes).map(Body)
    }
}

/// A JSON body that is not read yet, so that what is read from it can borrow its texts.
pub struct Raw(Bytes);

impl Raw {
    /// Reads the body.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        parse(&self.0)
    }

    /// Reads the body; no body at all is the default.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn parse_or_default<'a, T: Deserialize<'a> + Default>(&'a self) -> Result<T, Problem> {
        if self.0.is_empty() { Ok(T::default()) } else { parse(&self.0) }
    }
}

impl FromRequest<Arc<App>> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let untyped = !request.headers().contains_key(header::CONTENT_TYPE);
        let typed = require_type(request.headers(), &["application/json"]);
        let bytes = read(request, app.settings.body_bytes_max).await?;
        // Nothing has no type.
        if !(untyped && bytes.is_empty()) {
            typed?;
        }
        Ok(Raw(bytes))
    }
}

/// Reads one JSON value.
///
/// # Errors
/// A problem that names the place and what is wrong there.
pub fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::malformed(format!("The body is not as it should be: {error}.")))
}

/// The body as bytes, at most `max` of them.
///
/// # Errors
/// 413 if there are more, 400 if it ends early, 408 if it takes too long.
pub async fn read(request: Request, max: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        let detail = format!("The body is larger than {max} bytes.");
        let remedy = "Send a smaller body, or several.";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Body too large", detail, remedy)
    };
    let body = request.into_body();
    // One that announces too much is not waited for.
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    let body = Limited::new(body, max);
    let collected = tokio::time::timeout(BODY_TIME, body.collect()).await.map_err(|_| {
        let title = "Body too slow";
        let detail = format!("The body did not arrive within {} s.", BODY_TIME.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", title, detail, "Send the request again.")
    })?;
    collected.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() { too_large() } else { Problem::malformed("The body ended early.") }
    })
}

/// The content type is one of these, in UTF-8.
///
/// # Errors
/// 415.
pub fn require_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    let encoded = headers.contains_key(header::CONTENT_ENCODING);
    if !encoded && types.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted)) {
        return Ok(());
    }
    let detail = format!("The body must be {}, not compressed.", types.join(" or "));
    let remedy = "Set the header Content-Type accordingly.";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "Not JSON",
        detail,
        remedy,
    ))
}
