//! The rules thread's side: state, recent claims, the frame under construction.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use journal::disk::Disk;
use journal::keys::Recent;
use journal::{Batch, Capacity};
use ledger::event::Claimed;
use ledger::{Digest, Event, Note, Request, Sequence, State, View, codec};

use super::writer::{Job, Writer};
use crate::books::FactsTable;
use crate::sequencer::{Answer, Fault, Prior, Query};
use crate::store::{Answered, Store, answer};

/// The writing side of the journal store.
pub struct Writing<D: Disk> {
    pub(super) state: State,
    pub(super) recent: Recent,
    pub(super) facts: Arc<FactsTable>,
    pub(super) batch: Batch,
    pub(super) references: Vec<(Sequence, Arc<Note>)>,
    pub(super) capacity: Capacity,
    pub(super) poisoned: Arc<std::sync::OnceLock<String>>,
    pub(super) output: Output<D>,
    pub(super) touched: Vec<journal::keys::Digest>,
}

/// Where a finished batch goes.
pub(super) enum Output<D: Disk> {
    /// To the writer thread; buffers come back.
    Thread { jobs: Sender<Job>, buffers: Receiver<Vec<u8>> },
    /// Straight to the disk, for the simulator: one thread, one order.
    Inline(Box<Writer<D>>),
}

pub(super) fn key(digest: &Digest) -> journal::keys::Digest {
    journal::keys::Digest::new(digest.0)
}

impl<D: Disk> Writing<D> {
    fn claimed(&self, prior: &Prior, digest: &Digest) -> Option<Claimed> {
        let runs = prior.runs()?;
        let old = prior.find(digest);
        old.or_else(|| self.recent.get(runs, &key(digest))).map(Claimed::from_value)
    }

    /// What the writer's thread does when nothing comes: confirms the last frame and makes room ahead. Does
    /// nothing while there is such a thread.
    pub fn tend(&mut self) {
        if let Output::Inline(writer) = &mut self.output {
            writer.confirm();
            writer.appender.maintain();
        }
    }

    /// The books as they stand, the batch under construction included.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Lets the writer end, and keeps the books.
    #[must_use]
    pub fn into_state(self) -> State {
        self.state
    }
}

impl<D: Disk> Store for Writing<D> {
    fn ready(&self) -> Result<(), Fault> {
        if let Some(cause) = self.poisoned.get() {
            return Err(Fault::Poisoned(cause.clone()));
        }
        self.capacity.ready().map_err(|_| Fault::DiskFull)
    }

    fn touch(&mut self, requests: &[Request], prior: &Prior) {
        let Some(runs) = prior.runs() else { return };
        self.touched.clear();
        self.touched.extend(requests.iter().map(|request| key(&request.key)));
        self.recent.touch(runs, &self.touched);
        let movements = requests.iter().filter_map(Request::movement);
        self.state.touch(movements.flat_map(|movement| [movement.from, movement.to]));
    }

    fn view<'a>(&'a self, prior: &'a Prior) -> impl View + 'a {
        self.state.view(move |digest: &Digest| self.claimed(prior, digest))
    }

    fn next(&self) -> Sequence {
        self.state.head().next()
    }

    fn time(&self) -> i64 {
        self.state.time()
    }

    fn due(&self, time: i64) -> Option<Sequence> {
        self.state.due(time)
    }

    fn next_due(&self) -> Option<i64> {
        self.state.next_due()
    }

    fn accept(&mut self, event: &Event) -> u32 {
        self.state.apply(event);
        self.facts.learn(event);
        event.claims(|digest, claimed| self.recent.insert(key(&digest), claimed.to_value()));
        if event.reference().is_some() {
            self.references.extend(event.note.clone().map(|note| (event.sequence, note)));
        }
        self.batch.push(|bytes| codec::encode(event, bytes))
    }

    fn answer(&self, query: &Query, prior: &Prior) -> Answer {
        answer::answer(&self.state, query, |digest| self.claimed(prior, digest))
    }

    fn hand_over(&mut self, answers: Vec<Answered>) {
        let last = self.state.head();
        let references = std::mem::take(&mut self.references);
        match &mut self.output {
            Output::Thread { jobs, buffers } => {
                let next = buffers.try_recv().map_or_else(|_| Batch::new(), Batch::with_buffer);
                let batch = std::mem::replace(&mut self.batch, next);
                // The writer ends only after this side is gone; what it cannot write it answers itself.
                let _ = jobs.send(Job { batch, references, answers, last });
            }
            Output::Inline(writer) => {
                let batch = std::mem::take(&mut self.batch);
                writer.write(Job { batch, references, answers, last });
            }
        }
        self.recent.end_of_batch(last.0);
    }
}
