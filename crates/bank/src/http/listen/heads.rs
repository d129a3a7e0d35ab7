//! The time of a request's head, from its first byte to its last.
//!
//! ```text
//!  accepted ─► head ─► asked ─► answered ─► idle ─► head ─► …
//!  └ HEAD_TIME ────┘                     └IDLE_TIME┘└ HEAD_TIME …
//! ```
//! hyper has one timer for waiting and for reading a head. Clients keep connections for the next request and want
//! them kept a minute or so; a head that was begun is not given a minute. So hyper's timer is set to the long time,
//! and this one, above TLS where the bytes are those of HTTP, holds heads to the short one: it starts with the first
//! byte that comes while no request is being answered, and stops when a request is handed over.
//!
//! Bytes that come ahead of an answer are not seen as a head of their own: for those, hyper's timer is the only one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tower::Service;

/// A head arrives within this time of its first byte; the first one of a connection within this time of being
/// accepted.
pub(super) const HEAD_TIME: Duration = Duration::from_secs(10);

/// Requests of a connection: twice those that were answered, one more while one is being answered.
type Asked = Arc<AtomicU64>;

/// Accepts what `inner` accepts, and times the heads.
#[derive(Clone)]
pub(super) struct Timed<A>(pub(super) A);

impl<A, I, S> Accept<I, S> for Timed<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Heads<A::Stream>;
    type Service = Counted<A::Service>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let accepted = self.0.accept(stream, service);
        Box::pin(async {
            let (stream, service) = accepted.await?;
            let asked = Asked::default();
            let by = Instant::now() + HEAD_TIME;
            let begun = Some(Begun { asked: 0, by });
            let heads = Heads { stream, begun, timer: Box::pin(sleep_until(by)), asked: Arc::clone(&asked) };
            Ok((heads, Counted { service, asked }))
        })
    }
}

/// A head that was begun.
struct Begun {
    /// What [`Asked`] said then: once it says more, the head was complete.
    asked: u64,
    by: Instant,
}

/// A connection whose heads are timed.
pub(super) struct Heads<S> {
    stream: S,
    begun: Option<Begun>,
    timer: Pin<Box<Sleep>>,
    asked: Asked,
}

impl<S> Heads<S> {
    /// Some bytes came.
    fn came(&mut self) {
        let asked = self.asked.load(Ordering::Acquire);
        let answering = asked % 2 == 1;
        if answering {
            self.begun = None;
        } else if self.begun.as_ref().is_none_or(|begun| begun.asked != asked) {
            self.begun = Some(Begun { asked, by: Instant::now() + HEAD_TIME });
        }
    }

    /// Nothing came yet; says so to whoever began a head and took too long.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let asked = self.asked.load(Ordering::Acquire);
        match &self.begun {
            Some(begun) if begun.asked == asked => {
                if self.timer.deadline() != begun.by {
                    self.timer.as_mut().reset(begun.by);
                }
                ready!(self.timer.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            _ => {
                self.begun = None;
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Pending => self.wait(cx),
            Poll::Ready(Ok(())) if buffer.filled().len() > before => {
                self.came();
                Poll::Ready(Ok(()))
            }
            ended => ended,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The service of one connection, which counts.
#[derive(Clone)]
pub(super) struct Counted<S> {
    service: S,
    asked: Asked,
}

impl<R, S> Service<R> for Counted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.asked.fetch_add(1, Ordering::Release);
        Answering { answer: Box::pin(self.service.call(request)), asked: Asked::clone(&self.asked) }
    }
}

/// A request that is being answered.
pub(super) struct Answering<F> {
    answer: Pin<Box<F>>,
    asked: Asked,
}

impl<F: Future> Future for Answering<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.answer.as_mut().poll(cx)
    }
}

impl<F> Drop for Answering<F> {
    fn drop(&mut self) {
        self.asked.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
