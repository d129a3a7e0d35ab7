//! A place for each connection: bounded in number, and given up by a peer that does not read.

use std::future::{Future as _, Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// A peer that takes nothing for so long, although there is something for it, is given up.
const STALL_TIME: Duration = Duration::from_secs(30);

/// Places for connections.
#[derive(Clone)]
pub struct Places {
    free: Arc<Semaphore>,
}

impl Places {
    pub(in crate::http) fn new(free: Arc<Semaphore>) -> Places {
        Places { free }
    }
}

impl<S> Accept<TcpStream, S> for Places {
    type Stream = Seated;
    type Service = S;
    type Future = Ready<io::Result<(Seated, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        // Without a place the connection is closed by dropping it: an answer would need what is short.
        let place = Arc::clone(&self.free).try_acquire_owned();
        let place = place.map_err(|_| io::Error::other("too many connections"));
        ready(place.and_then(|place| {
            stream.set_nodelay(true)?;
            Ok((
                Seated { stream, _place: place, stall: Box::pin(sleep(STALL_TIME)), stalled: false },
                service,
            ))
        }))
    }
}

/// A connection that has a place.
pub struct Seated {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    stall: Pin<Box<Sleep>>,
    stalled: bool,
}

impl Seated {
    /// Passes on what writing came to; turns too long a wait into an error.
    fn written<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = false;
            return result;
        }
        if !self.stalled {
            self.stalled = true;
            self.stall.as_mut().reset(Instant::now() + STALL_TIME);
        }
        self.stall.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Seated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Seated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.written(cx, result)
    }
}
