//! Ctrl-C and SIGTERM end the drill in order: it ends its processes and removes its folder first.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What is said then.
pub(super) const STOPPED: &str = "stopped by a signal; its processes are ended and its folder is removed";

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
