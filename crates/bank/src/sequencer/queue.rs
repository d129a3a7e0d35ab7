//! The queue before the rules: bounded in commands, not only in submissions, so that memory is bounded too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::fault::Fault;
use super::submission::Submission;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Submissions.
    pub submissions: usize,
    /// Commands in all of them. At most twice a batch and a bit: what waits longer should be told so.
    pub commands: usize,
}

impl Default for QueueLimits {
    /// 16,384 submissions, 131,072 commands: sixteen full batches, some tens of milliseconds of work.
    fn default() -> Self {
        QueueLimits { submissions: 16_384, commands: 131_072 }
    }
}

/// The way in. Clones share the queue.
#[derive(Clone)]
pub struct Sequencer {
    sender: Sender<Submission>,
    waiting: Arc<AtomicUsize>,
    limits: QueueLimits,
    totals: Arc<Totals>,
}

/// What has been decided since the start, for metrics.
#[derive(Default, Debug)]
pub struct Totals {
    /// Batches that held anything.
    pub batches: AtomicU64,
    /// Commands and questions in them.
    pub commands: AtomicU64,
    /// How many were in the newest batch.
    pub newest: AtomicU64,
}

/// The way out, for the rules thread.
pub struct Queue {
    pub(super) receiver: Receiver<Submission>,
    waiting: Arc<AtomicUsize>,
    totals: Arc<Totals>,
}

/// A queue with both its ends.
#[must_use]
pub fn queue(limits: QueueLimits) -> (Sequencer, Queue) {
    let (sender, receiver) = crossbeam_channel::bounded(limits.submissions);
    let waiting = Arc::new(AtomicUsize::new(0));
    let totals = Arc::<Totals>::default();
    let sequencer = Sequencer { sender, waiting: Arc::clone(&waiting), limits, totals: Arc::clone(&totals) };
    (sequencer, Queue { receiver, waiting, totals })
}

impl Sequencer {
    /// Puts a submission into the queue. Never waits.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] if too much waits, [`Fault::Stopped`] if nobody decides any more. The
    /// submission left no trace; its reply is not called.
    pub fn submit(&self, submission: Submission) -> Result<(), Fault> {
        let weight = submission.work.weight();
        // One large batch may always wait alone, whatever the limit.
        let before = self.waiting.fetch_add(weight, Ordering::Relaxed);
        if before > 0 && before + weight > self.limits.commands {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            return Err(Fault::Overloaded);
        }
        self.sender.try_send(submission).map_err(|error| {
            self.waiting.fetch_sub(weight, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Fault::Overloaded,
                TrySendError::Disconnected(_) => Fault::Stopped,
            }
        })
    }

    /// How many commands wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What has been decided since the start.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }
}

impl Queue {
    /// Notes that a batch of so many is about to be decided.
    pub(super) fn decides(&self, commands: usize) {
        if commands > 0 {
            let commands = commands as u64;
            self.totals.batches.fetch_add(1, Ordering::Relaxed);
            self.totals.commands.fetch_add(commands, Ordering::Relaxed);
            self.totals.newest.store(commands, Ordering::Relaxed);
        }
    }

    /// Notes that a submission of this weight was taken out.
    pub(super) fn taken(&self, weight: usize) {
        self.waiting.fetch_sub(weight, Ordering::Relaxed);
    }
}
