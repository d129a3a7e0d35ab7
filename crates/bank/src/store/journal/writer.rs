//! The writer: makes a frame durable, then tells everybody.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use journal::disk::Disk;
use journal::keys::References;
use journal::{AppendError, Appender, Batch};
use ledger::{Digest, Note, Sequence};

use super::writing::key;
use crate::sequencer::{Fault, Frame, Receipt};
use crate::store::Answered;

/// A decided batch.
pub(super) struct Job {
    pub(super) batch: Batch,
    pub(super) references: Vec<(Sequence, Arc<Note>)>,
    pub(super) answers: Vec<Answered>,
    pub(super) last: Sequence,
}

/// After this long with nothing to write, an empty frame confirms the last one.
const IDLE: Duration = Duration::from_millis(50);

/// How often, and after which pause, a frame that found no room is tried again.
const FULL_TRIES: u32 = 50;
const FULL_PAUSE: Duration = Duration::from_millis(100);

/// Frames that are kept until their readers are done, so that their memory can be used again.
const FRAMES_KEPT: usize = 8;

/// Larger buffers are given back to the system.
const BUFFER_MAX: usize = 8 << 20;

/// The one that writes.
pub(super) struct Writer<D: Disk> {
    pub(super) appender: Appender<D>,
    pub(super) references: Arc<References>,
    pub(super) durable: tokio::sync::watch::Sender<u64>,
    pub(super) poisoned: Arc<OnceLock<String>>,
    pub(super) frames: VecDeque<Frame>,
}

impl<D: Disk> Writer<D> {
    /// Writes until the rules thread is gone, then confirms the last frame.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, buffers: &Sender<Vec<u8>>) {
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(job) => {
                    self.write(job);
                    self.reuse(buffers);
                }
                Err(RecvTimeoutError::Timeout) => self.confirm(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.confirm();
    }

    /// Makes one batch durable and answers it. After a failure nothing is answered positively any more, not
    /// even a read: what it saw may not be there after the restart.
    pub(super) fn write(&mut self, job: Job) {
        let Job { mut batch, references, answers, last } = job;
        if !batch.is_empty()
            && self.poisoned.get().is_none()
            && let Err(error) = self.append(&mut batch)
        {
            self.poison(&error.to_string());
        }
        if let Some(cause) = self.poisoned.get() {
            for answered in answers {
                (answered.reply)(Err(Fault::Poisoned(cause.clone())));
            }
            return;
        }
        if !batch.is_empty() {
            let digests = references.iter().filter_map(|(sequence, note)| {
                Some((key(&Digest::of_reference(note.reference.as_deref()?)), sequence.0))
            });
            self.references.insert_batch(digests, last.0);
            self.durable.send_replace(last.0);
        }
        let frame: Frame = Arc::new(batch);
        for Answered { outcomes, reply } in answers {
            reply(Ok(Receipt { outcomes, frame: Arc::clone(&frame), as_of: last }));
        }
        self.frames.push_back(frame);
    }

    /// Room for several of the largest frames is made sure of before a batch is decided, so `Full` can only
    /// mean that somebody else filled the disk in between: a short wait, then the end.
    fn append(&mut self, batch: &mut Batch) -> Result<(), AppendError> {
        for _ in 0..FULL_TRIES {
            match self.appender.append(batch) {
                Err(AppendError::Full(_)) => std::thread::sleep(FULL_PAUSE),
                result => return result.map(drop),
            }
        }
        self.appender.append(batch).map(drop)
    }

    pub(super) fn confirm(&mut self) {
        if self.poisoned.get().is_some() {
            return;
        }
        match self.appender.confirm() {
            // It is confirmed when there is room again; nothing depends on when.
            Ok(()) | Err(AppendError::Full(_)) => {}
            Err(error) => self.poison(&error.to_string()),
        }
    }

    fn poison(&self, cause: &str) {
        tracing::error!(cause, "the journal could not be written; nothing is answered any more");
        let _ = self.poisoned.set(cause.to_owned());
    }

    fn reuse(&mut self, buffers: &Sender<Vec<u8>>) {
        while self.frames.len() > FRAMES_KEPT
            || self.frames.front().is_some_and(|frame| Arc::strong_count(frame) == 1)
        {
            let Some(frame) = self.frames.pop_front() else { return };
            if let Ok(batch) = Arc::try_unwrap(frame) {
                let buffer = batch.into_buffer();
                if buffer.capacity() <= BUFFER_MAX {
                    let _ = buffers.try_send(buffer);
                }
            }
        }
    }
}
