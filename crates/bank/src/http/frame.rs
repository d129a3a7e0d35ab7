//! What surrounds every endpoint: the request's id, panics, unknown paths, the OpenAPI document.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_swagger_ui::SwaggerUi;

use super::app::App;
use super::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a caller.
const REQUEST_ID_MAX: usize = 64;

pub(super) fn around(router: Router<Arc<App>>, app: Arc<App>, document: utoipa::openapi::OpenApi) -> Router {
    router
        .merge(SwaggerUi::new("/docs").url("/api/v1/openapi.json", document))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(app)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(with_id))
}

/// Gives every answer the request's id, and writes it into problem documents.
async fn with_id(request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).filter(|id| usable(id)).cloned();
    let id = given.unwrap_or_else(new_id);
    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
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
