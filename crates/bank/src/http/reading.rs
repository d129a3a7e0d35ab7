//! Reading history beside the requests: off the runtime's threads, and bounded.

use std::sync::Arc;
use std::time::Duration;

use super::app::App;
use crate::sequencer::Fault;
use crate::store::Reads;

/// Readings at one time. Each is a few hundred small reads; more at once only wait for the same disk.
pub(super) const READINGS_MAX: usize = 64;

/// How long a reading waits for its turn before it is told that too much is going on.
const WAIT: Duration = Duration::from_secs(2);

impl App {
    /// Reads history; `work` may block.
    ///
    /// # Errors
    /// What `work` says, [`Fault::Overloaded`] if too many read already.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Reads) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = tokio::time::timeout(WAIT, Arc::clone(self.readings()).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(Fault::Overloaded) };
        let reads = Arc::clone(self.service.books.reads());
        let read = tokio::task::spawn_blocking(move || {
            // The reading goes on if the reader went away, so the turn ends here.
            let _turn = turn;
            work(&*reads)
        });
        match read.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Fault::Stopped),
        }
    }
}
