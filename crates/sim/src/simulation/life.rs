//! One life of the process: from opening to its end, whatever that is.

use std::path::Path;
use std::sync::Arc;

use ::journal::{Folder, Identity, Recovery};
use bank::books::Books;
use bank::sequencer::{self, Fault, Queue, Rules};
use bank::store::journal::{self, Background, OpenError, Reading, Writing};
use bank::store::{Reads, Store};

use super::disk::Watched;
use super::plan::Plan;
use crate::time::SimClock;

pub(super) struct Life {
    pub(super) writing: Writing<Watched>,
    pub(super) reading: Arc<Reading<Watched>>,
    pub(super) background: Background,
    pub(super) books: Books,
    pub(super) recovery: Recovery,
    rules: Rules<SimClock>,
    queue: Queue,
}

impl Life {
    /// Opens the bank on a disk, or makes it there. Nothing is decided yet.
    pub(super) fn begin(disk: &Watched, clock: &SimClock, plan: &Plan) -> Result<Life, OpenError> {
        let dir = Path::new("bank");
        let opened = if Folder::is_journal(disk, dir) {
            journal::open(disk.clone(), dir, &plan.store)?
        } else {
            let identity = Identity { bank: [7; 16], timeline: 1 };
            journal::create(disk.clone(), dir, identity, &plan.store)?
        };
        let journal::Opened { writing, reading, background, recovery, .. } = opened;
        disk.eyes.open(&reading);
        let (sequencer, queue) = sequencer::queue(plan.desk.queue);
        let books = Books::new(sequencer, Arc::clone(&reading) as Arc<dyn Reads>);
        let rules = Rules::new(&writing, plan.desk.rules(clock.clone()));
        Ok(Life { writing, reading, background, books, recovery, rules, queue })
    }

    /// The first event, if there is none.
    pub(super) fn open_bank(&mut self, clock: &SimClock, plan: &Plan) {
        if self.writing.next().0 == 1 {
            sequencer::open_bank(&mut self.writing, [7; 16], 1, "Simulated Bank", clock.now())
                .expect("a short name");
            self.writing.hand_over(Vec::new());
            // Stamps go on from the newest event.
            self.rules = Rules::new(&self.writing, plan.desk.rules(clock.clone()));
        }
    }

    /// One batch.
    pub(super) fn step(&mut self) {
        self.rules.step(&mut self.writing, &self.queue);
    }

    pub(super) fn is_poisoned(&self) -> bool {
        matches!(self.writing.ready(), Err(Fault::Poisoned(_)))
    }
}
