//! Ctrl-C and SIGTERM end the drill in order: it ends its processes and removes its folder first.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is said then; `stays` is what somebody's bank keeps of the drill.
pub(super) fn stopped(stays: Option<&str>) -> anyhow::Error {
    let put_away = "stopped by a signal; its processes are ended and its folder is removed";
    match stays {
        None => anyhow::anyhow!("{put_away}"),
        Some(stays) => anyhow::anyhow!("{put_away}, and the API keys that it made are revoked; {stays}"),
    }
}

/// Waits for a signal.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// From now on signals no longer end the process by themselves.
    pub(super) fn listen() -> anyhow::Result<Stop> {
        let listen = |kind| signal(kind).context("signals cannot be received; look into the system's limits");
        Ok(Stop { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// The next one.
    pub(super) async fn signal(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
