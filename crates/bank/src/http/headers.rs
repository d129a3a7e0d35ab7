//! Headers with a meaning: the idempotency key, the expected version.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use ledger::limits::KEY_BYTES_MAX;

use super::problem::Problem;

/// The caller's id of one intent, from the header `Idempotency-Key`, bare or quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(pub Box<str>);

impl IdempotencyKey {
    /// A key from its text.
    ///
    /// # Errors
    /// If it is empty, too long, or not printable ASCII.
    pub fn new(text: &str) -> Result<IdempotencyKey, Problem> {
        IdempotencyKey::bare(text).map(|bare| IdempotencyKey(bare.into()))
    }

    /// The key in a text, without quotes.
    ///
    /// # Errors
    /// As [`IdempotencyKey::new`].
    pub fn bare(text: &str) -> Result<&str, Problem> {
        let bare = text.trim();
        let bare = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(bare);
        let printable = bare.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if bare.is_empty() || bare.len() > KEY_BYTES_MAX || !printable {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_malformed",
                "Idempotency key malformed",
                format!("A key has 1 to {KEY_BYTES_MAX} printable ASCII characters."),
                "Send a random UUID, or your own id of the intent.",
            ));
        }
        Ok(bare)
    }

    fn find(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
        let mut values = headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Problem::malformed("The header Idempotency-Key is there twice."));
        }
        // Anything but visible ASCII fails in `new` with the right words.
        IdempotencyKey::new(value.to_str().unwrap_or("\u{0}")).map(Some)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        IdempotencyKey::find(&parts.headers)?.ok_or_else(Problem::no_key)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        IdempotencyKey::find(&parts.headers)
    }
}

/// The version that the caller saw, from the header `If-Match`: `"7"`, as in the `ETag` of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedVersion(pub u64);

impl<S: Send + Sync> OptionalFromRequestParts<S> for ExpectedVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(None) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(None);
        }
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let version = bare
            .parse()
            .map_err(|_| Problem::malformed("If-Match names an account's version, like \"7\"."))?;
        Ok(Some(ExpectedVersion(version)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ExpectedVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        found.ok_or_else(|| {
            Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "version_required",
                "Version required",
                "This change is made on the version that you saw: name it in the header If-Match.",
                "Read the account and send its ETag as If-Match.",
            )
        })
    }
}
