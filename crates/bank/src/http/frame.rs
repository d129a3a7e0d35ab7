//! What surrounds every endpoint: the request's id, figures, headers, panics, unknown paths, the documents.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_swagger_ui::SwaggerUi;

use super::app::App;
use super::metrics::measure;
use super::problem::Problem;
use super::problems;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a caller.
const REQUEST_ID_MAX: usize = 64;

pub(super) fn around(router: Router<Arc<App>>, app: Arc<App>, document: utoipa::openapi::OpenApi) -> Router {
    let tls = app.settings.tls || app.settings.behind_proxy;
    router
        .merge(problems::router())
        .merge(SwaggerUi::new("/docs").url("/api/v1/openapi.json", document))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::clone(&app))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::map_response_with_state(tls, with_headers))
        .layer(middleware::from_fn_with_state(app, measure))
        .layer(middleware::from_fn(with_id))
}

/// Nothing of this may be framed, sniffed, kept or made to run anything. Pages of text need no script; the
/// documentation brings its own, and sets its styles in place.
const STRICT: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                    connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

async fn with_headers(State(tls): State<bool>, uri: Uri, mut response: Response) -> Response {
    let docs = uri.path().starts_with("/docs");
    let headers = response.headers_mut();
    let policy = if docs { DOCS } else { STRICT };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !docs {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if tls {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Gives every answer the request's id, and writes it into problem documents.
async fn with_id(request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).filter(|id| usable(id)).cloned();
    let id = given.unwrap_or_else(new_id);
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.answered();
        problem.request_id = id.to_str().ok().map(str::to_owned);
        if let Ok(bytes) = serde_json::to_vec(&problem) {
            response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            *response.body_mut() = Body::from(bytes);
        }
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

fn usable(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
    !id.is_empty() && id.len() <= REQUEST_ID_MAX && id.as_bytes().iter().all(plain)
}

fn new_id() -> HeaderValue {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    static PROCESS: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let mut bytes = [0; 8];
        // Ids only tell log lines apart; without randomness they are still unique within this process.
        let _ = getrandom::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    });
    let text = format!("{:016x}-{:x}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

async fn no_such_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::not_found(format!("There is nothing at {path}; the paths are listed at /docs."))
}

async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(100).collect();
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "Method not allowed",
        format!("{method} is not possible at {path}."),
        "The header Allow names what is; /docs explains it.",
    )
}

/// A bug. The caller learns nothing but that; the log has the rest.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("unknown"), "a request met a bug");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal_error",
        "Internal error",
        "The service made a mistake while answering. Whether the request counted can be asked by its key.",
        "Ask GET /api/v1/idempotency/{key}, and report the request id to the operator.",
    )
    .into_response()
}
