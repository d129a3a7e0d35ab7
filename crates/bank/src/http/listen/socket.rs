//! The socket in the data folder: whoever may open the file is the operator.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::ServeError;

/// A bound socket; the file goes when it is dropped.
pub(super) struct Socket {
    listener: Option<UnixListener>,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket. One that is left over from before is replaced: the data folder is locked, so its
    /// owner is gone.
    pub(super) fn bind(path: PathBuf) -> Result<Socket, ServeError> {
        match listen(&path) {
            Ok(listener) => Ok(Socket { listener: Some(listener), path }),
            Err(error) => Err(ServeError::Socket { path, error }),
        }
    }

    /// Serves until `stopping` says so, then lets what is under way finish within `bound`.
    pub(super) async fn serve(mut self, router: Router, stopping: watch::Receiver<bool>, bound: Duration) {
        let Some(listener) = self.listener.take() else { return };
        let stopped = |mut stopping: watch::Receiver<bool>| async move {
            // Nobody left to say so means the same.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        };
        let serving = axum::serve(listener, router).with_graceful_shutdown(stopped(stopping.clone()));
        tokio::select! {
            served = async { serving.await } => {
                if let Err(error) = served {
                    tracing::error!(%error, "the socket in the data folder failed");
                }
            }
            () = async { stopped(stopping).await; tokio::time::sleep(bound).await } => {}
        }
    }
}

/// Made under another name and mode first, so that the name never stands for a socket that others may open.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    fs::rename(&fresh, path)?;
    Ok(listener)
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
