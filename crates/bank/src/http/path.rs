//! The id in a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use ledger::{AccountId, Sequence};

use super::problem::Problem;
use super::wire;

/// The id of an account in a path.
pub(super) struct AccountPath(pub AccountId);

/// The id of a transaction, hold or event in a path.
pub(super) struct SequencePath(pub Sequence);

impl<S: Send + Sync> FromRequestParts<S> for AccountPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        number(parts, state).await.map(|number| AccountPath(AccountId(number)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SequencePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        number(parts, state).await.map(|number| SequencePath(Sequence(number)))
    }
}

async fn number<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<u64, Problem> {
    let text = Path::<String>::from_request_parts(parts, state).await;
    let text = text.map(|Path(text)| text).unwrap_or_default();
    wire::digits(&text).ok_or_else(|| Problem::malformed("The id in the path is not a decimal number."))
}
