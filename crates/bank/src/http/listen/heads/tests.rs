//! How long a connection is kept, by what its peer does. Time does not pass here, it is skipped.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{Request, Response};
use axum_server::accept::DefaultAcceptor;
use http_body_util::BodyExt as _;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::sleep;
use tower::service_fn;

use super::*;
use crate::http::listen::{IDLE_TIME, limit};

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nhost: b\r\ncontent-length: 2\r\n\r\nok";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// A connection to a service that reads the body and takes half a minute to think about it.
fn connect() -> DuplexStream {
    let (near, far) = duplex(4_096);
    tokio::spawn(async {
        let service = service_fn(|request: Request<hyper::body::Incoming>| async {
            request.into_body().collect().await.expect("a body");
            sleep(HEAD_TIME * 3).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        let (stream, service) = Timed(DefaultAcceptor).accept(far, service).await.expect("accepted");
        let mut builder = Builder::new(TokioExecutor::new());
        limit(&mut builder);
        let service = TowerToHyperService::new(service);
        let _ = builder.http1_only().serve_connection(TokioIo::new(stream), service).await;
    });
    near
}

async fn answered(peer: &mut DuplexStream) {
    let mut begun = vec![0; ANSWER.len()];
    peer.read_exact(&mut begun).await.expect("an answer");
    assert_eq!(begun, ANSWER);
    let mut rest = [0; 4_096];
    let count = peer.read(&mut rest).await.expect("the rest of its head");
    assert!(rest[..count].ends_with(b"\r\n\r\n"));
}

/// Seconds until the connection is closed.
async fn closed(peer: &mut DuplexStream) -> u64 {
    let since = Instant::now();
    let mut rest = Vec::new();
    let _ = peer.read_to_end(&mut rest).await;
    assert_eq!(rest, b"");
    since.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_from_the_start_is_not_waited_for() {
    assert_eq!(closed(&mut connect()).await, HEAD_TIME.as_secs());
}

/// A connection was closed after ten idle seconds, under clients that keep theirs for a minute and then met a
/// connection that had just gone.
#[tokio::test(start_paused = true)]
async fn who_has_been_answered_may_be_idle_for_a_minute() {
    let mut peer = connect();
    for _ in 0..3 {
        peer.write_all(REQUEST).await.unwrap();
        answered(&mut peer).await;
        sleep(IDLE_TIME - Duration::from_secs(1)).await;
    }
    peer.write_all(REQUEST).await.unwrap();
    answered(&mut peer).await;
    assert_eq!(closed(&mut peer).await, IDLE_TIME.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_head_that_was_begun_is_finished_soon_or_never() {
    let mut peer = connect();
    peer.write_all(REQUEST).await.unwrap();
    answered(&mut peer).await;
    sleep(IDLE_TIME / 2).await;
    peer.write_all(b"P").await.unwrap();
    assert_eq!(closed(&mut peer).await, HEAD_TIME.as_secs());

    // Letter by letter does not help.
    let mut peer = connect();
    let since = Instant::now();
    while peer.write_all(b"P").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    assert!((10..=11).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_body_has_its_own_time() {
    let mut peer = connect();
    let (head, body) = REQUEST.split_at(REQUEST.len() - 2);
    peer.write_all(head).await.unwrap();
    for byte in body {
        sleep(HEAD_TIME * 2).await;
        peer.write_all(&[*byte]).await.unwrap();
    }
    answered(&mut peer).await;
    assert_eq!(closed(&mut peer).await, IDLE_TIME.as_secs());
}
