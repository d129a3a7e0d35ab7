//! SIGINT and SIGTERM: the first one ends the server, the second one the process.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// What a shell says of a process that was ended by Ctrl-C.
const STOPPED_AT_ONCE: i32 = 130;

/// Ready at the first signal. From now on signals no longer end the process by themselves.
pub(super) fn stop() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let listen = |kind| signal(kind).context("signals cannot be received; look into the system's limits");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        next().await;
        tracing::info!("stopping: what is under way is finished; a second signal stops at once");
        let _ = stop.send(());
        next().await;
        std::process::exit(STOPPED_AT_ONCE);
    });
    Ok(async {
        // The sender lives as long as the process.
        let _ = stopped.await;
    })
}
