//! Listening: TCP for callers, with or without TLS, and a Unix socket in the data folder for the operator.
//!
//! ```text
//!  accept ─► a place (at most CONNECTIONS_MAX) ─► TLS handshake ─► head within HEAD_TIME ─► router ─► idle
//! ```
//! HTTP/1.1 only: it needs no more, and its limits are few and known. Nothing a peer does or leaves undone
//! holds anything for ever: the handshake, the head, the body, an idle connection and a reader that does not read
//! all have a time.

mod error;
mod heads;
mod place;
mod socket;
mod tls;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

use super::app::App;
use super::{local_router, router};

pub use error::ServeError;
use heads::Timed;
pub(super) use place::Places;
pub use tls::Tls;

/// Connections at one time; fewer if the process may open fewer files. One more is closed at once.
pub const CONNECTIONS_MAX: usize = 4_096;

/// How long a connection is kept for the next request: longer than clients with pools keep theirs, so that it is
/// they who close it.
const IDLE_TIME: Duration = Duration::from_secs(75);

/// Bytes of a request's head, and of what is read ahead of a slow handler.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long requests under way may take after the stop was asked for.
const STOP_TIME: Duration = Duration::from_secs(10);

/// Binds an address.
///
/// # Errors
/// [`ServeError::Bind`].
pub fn bind(address: SocketAddr) -> Result<std::net::TcpListener, ServeError> {
    std::net::TcpListener::bind(address).map_err(|error| ServeError::Bind { address, error })
}

/// Serves until `shutdown` is ready, then lets what is under way finish, but not for ever.
///
/// # Errors
/// [`ServeError`]: nothing was served.
pub async fn serve(
    app: Arc<App>,
    listener: std::net::TcpListener,
    tls: Option<Tls>,
    socket: Option<PathBuf>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let local = socket.map(socket::Socket::bind).transpose()?;
    listener.set_nonblocking(true).map_err(ServeError::Listener)?;
    let handle = Handle::new();
    let attempts = tokio::spawn(Arc::clone(&app).record_attempts());
    let stopper = tokio::spawn(stop(Arc::clone(&app), shutdown, handle.clone()));
    let local = local.map(|socket| {
        let stopping = app.stopping();
        tokio::spawn(socket.serve(local_router(Arc::clone(&app)), stopping, STOP_TIME))
    });
    let served = tcp(router(Arc::clone(&app)), listener, tls, handle, app.places(places())).await;
    // Also if TCP ended by itself: the socket and the streams must not live on alone.
    app.stop();
    stopper.abort();
    if let Some(local) = local {
        let _ = local.await;
    }
    attempts.abort();
    app.flush_attempts().await;
    served
}

async fn stop(app: Arc<App>, shutdown: impl Future<Output = ()>, handle: Handle<SocketAddr>) {
    shutdown.await;
    app.stop();
    handle.graceful_shutdown(Some(STOP_TIME));
}

async fn tcp(
    router: Router,
    listener: std::net::TcpListener,
    tls: Option<Tls>,
    handle: Handle<SocketAddr>,
    places: Places,
) -> Result<(), ServeError> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener).map_err(ServeError::Listener)?.handle(handle);
    limit(server.http_builder());
    // The version comes last: changing the acceptor forgets it, and a server that looks for the version waits
    // for a silent peer without end.
    let served = match tls {
        Some(Tls(config)) => {
            let acceptor = RustlsAcceptor::new(config).acceptor(places);
            server.acceptor(Timed(acceptor)).http1_only().serve(service).await
        }
        None => server.acceptor(Timed(places)).http1_only().serve(service).await,
    };
    served.map_err(ServeError::Listener)
}

fn limit(builder: &mut Builder<TokioExecutor>) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(true);
}

/// Files that a small bank has open at most beside its connections: segments, each twice, key files, `bank.db`, and the
/// way to a rail or a subscriber. A large one has more key files; half of all files are never used for connections.
const OWN_FILES: u64 = 64;

/// How many connections there may be: one that is let in without a file left for it would wait for ever.
fn places() -> usize {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let left = files.map(|files| (files / 2).min(files.saturating_sub(OWN_FILES)));
    let places = left.map_or(CONNECTIONS_MAX, |left| usize::try_from(left).unwrap_or(CONNECTIONS_MAX));
    places.clamp(16, CONNECTIONS_MAX)
}
