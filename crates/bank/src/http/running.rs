//! What the interface itself keeps while it runs: who is connected, what was counted, whether it stops.

use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::app::App;
use super::attempts::Attempts;
use super::listen::Places;
use super::metrics::Requests;
use super::probes::Readiness;
use super::reading::READINGS_MAX;

/// Streams of events at one time: each holds a connection and reads the journal at its reader's pace.
pub(super) const STREAMS_MAX: usize = 256;

/// What the interface keeps while it runs.
pub(super) struct Running {
    stopping: watch::Sender<bool>,
    connections: OnceLock<(Arc<Semaphore>, usize)>,
    streams: Arc<Semaphore>,
    readings: Arc<Semaphore>,
    attempts: Arc<Attempts>,
    requests: Requests,
    readiness: Readiness,
}

impl Default for Running {
    fn default() -> Self {
        Running {
            stopping: watch::Sender::new(false),
            connections: OnceLock::new(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            readings: Arc::new(Semaphore::new(READINGS_MAX)),
            attempts: Arc::default(),
            requests: Requests::default(),
            readiness: Readiness::default(),
        }
    }
}

impl App {
    /// Becomes true when the interface stops; streams end then.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.running.stopping.subscribe()
    }

    /// The interface stops.
    pub(super) fn stop(&self) {
        self.running.stopping.send_replace(true);
    }

    /// Refused attempts that are to be recorded.
    pub(super) fn attempts(&self) -> &Arc<Attempts> {
        &self.running.attempts
    }

    /// Places for so many connections.
    pub(super) fn places(&self, most: usize) -> Places {
        let (free, _) = self.running.connections.get_or_init(|| (Arc::new(Semaphore::new(most)), most));
        Places::new(Arc::clone(free))
    }

    /// Connections that are open now.
    pub(super) fn connections(&self) -> usize {
        self.running.connections.get().map_or(0, |(free, most)| most - free.available_permits())
    }

    /// A place for a stream, if there is one.
    pub(super) fn stream_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.running.streams).try_acquire_owned().ok()
    }

    /// Requests that were answered.
    pub(super) fn requests(&self) -> &Requests {
        &self.running.requests
    }

    /// The last answer about readiness.
    pub(super) fn readiness(&self) -> &Readiness {
        &self.running.readiness
    }

    /// Turns to read history.
    pub(super) fn readings(&self) -> &Arc<Semaphore> {
        &self.running.readings
    }

    /// Streams that are open now.
    pub(super) fn streams(&self) -> usize {
        STREAMS_MAX - self.running.streams.available_permits()
    }
}
