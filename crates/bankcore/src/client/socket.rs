//! The way through the socket of a running server.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::answer::Answer;

/// Whether a server listens there. A socket left over from a server that was killed does not answer.
pub(super) async fn answers(path: &Path) -> anyhow::Result<bool> {
    match UnixStream::connect(path).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("{} may not be opened; run this as the user of the server", path.display())
        }
        // Not there, nobody behind it, or a path too long for a socket: then no server has one there either.
        Err(_) => Ok(false),
    }
}

/// Sends one request over a connection of its own.
pub(super) async fn ask(path: &Path, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
    let stream = UnixStream::connect(path)
        .await
        .with_context(|| format!("the server behind {} has gone", path.display()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = match sender.send_request(request).await {
        Ok(response) => Answer::read(response).await,
        Err(error) => Err(anyhow::Error::new(error).context("the server gave no answer")),
    };
    driver.abort();
    answer
}
