//! Lists, a page at a time.
//!
//! A cursor says where the next page starts and nothing else: who may see what is asked anew for every page.
//! It is bound to its list (path and filters), its reader and its bank by a short hash, so that one that was
//! made up, cut, or taken from elsewhere is refused instead of leading to some other place.

use axum::Json;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ledger::Digest;
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::caller::Caller;
use super::problem::Problem;

/// Items on a page at most.
pub(super) const LIMIT_MAX: usize = 500;

/// Items on a page if the reader names no limit.
pub(super) const LIMIT_DEFAULT: usize = 50;

const VERSION: u8 = 1;
const POSITION: usize = 8;
const SEAL: usize = 8;

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items. A page may be short, even empty, although more follow.
    pub items: Vec<T>,
    /// Where the next page starts: send it as `cursor`. null at the end.
    #[schema(example = "AQAAAAAAAAB7kX0dQy3pVyo")]
    pub next_cursor: Option<String>,
}

/// A page of a list that grows at its end.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Later<T> {
    /// The items, oldest first. A page may be short, even empty, although more follow.
    pub items: Vec<T>,
    /// Where to go on, now or when there is more: send it as `after`.
    #[schema(example = "173")]
    pub next_after: String,
}

impl<T: Serialize> Later<T> {
    /// The answer; with a link if there is more already.
    pub(super) fn answer(self, uri: &Uri, more: bool) -> Response {
        let link = link(uri, "after", &self.next_after).filter(|_| more);
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// One reader's way through one list.
pub(super) struct Paging {
    /// How many items are wanted.
    pub(super) limit: usize,
    /// Where this page starts; none for the first.
    pub(super) from: Option<u64>,
    scope: Vec<u8>,
    uri: Uri,
}

/// The limit that was asked for.
pub(super) fn limit(asked: Option<usize>) -> Result<usize, Problem> {
    match asked {
        None => Ok(LIMIT_DEFAULT),
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::malformed(format!("limit is a number from 1 to {LIMIT_MAX}."))),
    }
}

impl Paging {
    /// Of the list at `uri`, with the limit and the cursor that the reader sent.
    pub(super) fn new(
        app: &App,
        caller: &Caller,
        uri: &OriginalUri,
        asked: Option<usize>,
        cursor: Option<&str>,
    ) -> Result<Paging, Problem> {
        let limit = limit(asked)?;
        let scope = scope(app, caller, uri);
        let from = cursor.map(|cursor| open(&scope, cursor).ok_or_else(invalid)).transpose()?;
        Ok(Paging { limit, from, scope, uri: uri.0.clone() })
    }

    /// The answer: these items, and where to go on.
    pub(super) fn answer<T: Serialize>(self, items: Vec<T>, next: Option<u64>) -> Response {
        let next_cursor = next.map(|position| close(&self.scope, position));
        let link = next_cursor.as_deref().and_then(|cursor| link(&self.uri, "cursor", cursor));
        let mut response = Json(Page { items, next_cursor }).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

/// The header that names the next page: this one's address with another place to start.
pub(super) fn link(uri: &Uri, name: &str, value: &str) -> Option<HeaderValue> {
    let mut query: Vec<&str> = pairs(uri).filter(|pair| !is(pair, name)).collect();
    let next = format!("{name}={value}");
    query.push(&next);
    HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))).ok()
}

/// The reader sent a cursor that is not one of this list.
pub(super) fn invalid() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "cursor_invalid",
        "Cursor not valid",
        "The cursor does not belong to this list, with these filters, and this reader.",
        "Start again without a cursor, and send each next_cursor back as it is, with the same filters.",
    )
}

fn pairs(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty())
}

fn is(pair: &str, name: &str) -> bool {
    pair.split('=').next() == Some(name)
}

/// All that a cursor is bound to.
fn scope(app: &App, caller: &Caller, uri: &Uri) -> Vec<u8> {
    let mut filters: Vec<&str> =
        pairs(uri).filter(|pair| !is(pair, "cursor") && !is(pair, "limit")).collect();
    filters.sort_unstable();
    let identity = app.service.identity;
    let mut scope = b"bankcore cursor".to_vec();
    scope.extend(identity.bank);
    scope.extend(identity.timeline.to_be_bytes());
    scope.extend(caller.principal.0.to_be_bytes());
    scope.extend(uri.path().as_bytes());
    for filter in filters {
        scope.push(b'\n');
        scope.extend(filter.as_bytes());
    }
    scope
}

fn seal(scope: &[u8], position: [u8; POSITION]) -> [u8; SEAL] {
    let digest = Digest::over(&[&[VERSION], &position, scope]);
    digest.0[..SEAL].try_into().expect("a digest has sixteen bytes")
}

fn close(scope: &[u8], position: u64) -> String {
    let position = position.to_be_bytes();
    URL_SAFE_NO_PAD.encode([&[VERSION][..], &position, &seal(scope, position)].concat())
}

fn open(scope: &[u8], cursor: &str) -> Option<u64> {
    let bytes: [u8; 1 + POSITION + SEAL] = URL_SAFE_NO_PAD.decode(cursor).ok()?.try_into().ok()?;
    let position = bytes[1..=POSITION].try_into().ok()?;
    let sealed = bytes[0] == VERSION && bytes[1 + POSITION..] == seal(scope, position);
    sealed.then(|| u64::from_be_bytes(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_in_its_own_list_only() {
        let cursor = close(b"accounts", 77);
        assert_eq!(open(b"accounts", &cursor), Some(77));
        assert_eq!(open(b"entries", &cursor), None);
    }

    #[test]
    fn no_bit_of_a_cursor_can_be_changed() {
        let bytes = URL_SAFE_NO_PAD.decode(close(b"list", 77)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(b"list", &URL_SAFE_NO_PAD.encode(forged)), None, "bit {bit}");
        }
        for cut in 0..bytes.len() {
            assert_eq!(open(b"list", &URL_SAFE_NO_PAD.encode(&bytes[..cut])), None);
        }
        for text in ["", "=", "AQ==", "ä", "../..", &"A".repeat(10_000)] {
            assert_eq!(open(b"list", text), None);
        }
    }

    #[test]
    fn the_next_page_keeps_the_filters_and_replaces_the_cursor() {
        let uri: Uri = "/api/v1/accounts?cursor=old&type=asset".parse().unwrap();
        assert_eq!(
            link(&uri, "cursor", "new").unwrap(),
            "</api/v1/accounts?type=asset&cursor=new>; rel=\"next\""
        );
    }
}
