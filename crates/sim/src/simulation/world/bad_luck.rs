//! Clocks that are set, disks that fail and fill up, processes that die, and what must be there afterwards.

use ::journal::disk::SimDisk;
use ::journal::disk::fault::{Call, Errno, Fault, Survival};
use bank::store::Reads;
use rand::Rng;

use super::{Luck, World};
use crate::auditor;
use crate::model::{Fact, Model};
use crate::simulation::disk::Watched;
use crate::simulation::life::Life;
use crate::time::{DAY, SECOND, Stamps};

impl World {
    pub(super) fn turn_the_clock(&mut self) {
        if self.rng.random_bool(0.05) {
            self.clock.pass(self.rng.random_range(0..900 * SECOND));
        }
        if !self.rng.random_ratio(self.plan.clock, 1_000) {
            return;
        }
        let by = match self.rng.random_range(0..4) {
            0 => self.rng.random_range(0..299 * SECOND),
            1 => -self.rng.random_range(0..3_600 * SECOND),
            2 => -365 * DAY,
            _ => 365 * DAY,
        };
        self.clock.set_off(by);
        self.note(|| format!("the clock is set off by {by}"));
    }

    /// Plans what will go wrong next.
    pub(super) fn run_out_of_luck(&mut self) {
        if self.halted_at.is_none() && self.rng.random_ratio(self.plan.halts, 1_000) {
            let at = self.disk.disk.changes() + self.rng.random_range(0..40);
            self.disk.disk.halt_at(at);
            (self.halted_at, self.luck.writes) = (Some(at), true);
            self.note(|| format!("the process will die at call {at}"));
        }
        if self.rng.random_ratio(self.plan.faults, 1_000) {
            let call = Call::ALL[self.rng.random_range(0..Call::ALL.len())];
            let errno = if self.rng.random_bool(0.5) { Errno::Io } else { Errno::NoSpace };
            let fault =
                Fault { call, nth: self.rng.random_range(0..8), errno, sticky: self.rng.random_bool(0.3) };
            self.disk.disk.plan(fault);
            // A length is asked for before some writes, and a folder is opened to be synced.
            self.luck.writes = true;
            self.luck.reads |= matches!(call, Call::Read | Call::Open | Call::List | Call::Free);
            self.note(|| format!("planned: {fault:?}"));
        }
        if self.luck.full && self.rng.random_bool(0.2) {
            self.disk.disk.set_capacity(None);
            self.luck.full = false;
            self.life.as_mut().expect("alive").writing.tend();
            self.note(|| "there is space again".to_owned());
        } else if self.rng.random_ratio(self.plan.full, 1_000) {
            let left = self.rng.random_range(0..400 << 10);
            self.disk.disk.set_capacity(Some(self.disk.disk.used() + left));
            self.luck.full = true;
            self.note(|| format!("{left} bytes are left"));
        }
    }

    /// Nothing goes wrong any more.
    pub(super) fn heal(&mut self) {
        self.disk.disk.heal();
        self.disk.disk.set_capacity(None);
        (self.halted_at, self.luck) = (None, Luck::default());
        if let Some(life) = &mut self.life {
            self.luck.writes = life.is_poisoned();
            // A thread would try again each second.
            life.writing.tend();
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        let halted = self.halted_at.is_some_and(|at| self.disk.disk.changes() >= at);
        halted || self.life.as_ref().is_none_or(Life::is_poisoned)
    }

    /// The process ends. Who waited will ask again.
    pub(super) fn bury(&mut self) {
        self.report.restarts += 1;
        self.life = None;
        for waiting in std::mem::take(&mut self.waiting) {
            self.again(waiting.job);
        }
        self.revive();
    }

    /// What is left on the disk is opened, as often as it takes.
    pub(super) fn revive(&mut self) {
        for attempt in 0.. {
            assert!(attempt < 12, "the bank does not open any more");
            self.pick_up_the_pieces(attempt);
            if attempt < 4 && self.rng.random_ratio(self.plan.halts * 3, 1_000) {
                let at = self.rng.random_range(0..60);
                self.disk.disk.halt_at(self.disk.disk.changes() + at);
                self.halted_at = Some(self.disk.disk.changes() + at);
                self.luck.writes = true;
            } else if attempt < 4 && self.rng.random_ratio(self.plan.faults * 2, 1_000) {
                let call = Call::ALL[self.rng.random_range(0..Call::ALL.len())];
                let nth = self.rng.random_range(0..30);
                self.disk.disk.plan(Fault { call, nth, errno: Errno::Io, sticky: false });
                self.luck = Luck { writes: true, reads: true, full: false };
            }
            let luck = self.luck;
            match Life::begin(&self.disk, &self.clock, &self.plan) {
                Ok(life) => {
                    self.life = Some(life);
                    if self.judge() {
                        return;
                    }
                    self.life = None;
                }
                Err(error) => {
                    assert!(luck.writes || luck.reads, "the bank does not open: {error}");
                    self.note(|| format!("not opened: {error}"));
                }
            }
        }
    }

    /// Power is lost, or only the process ended; what was not synced is there or not.
    fn pick_up_the_pieces(&mut self, attempt: u32) {
        let disk: &SimDisk = &self.disk.disk;
        let sectors = disk.unsynced_sectors();
        let survival = match self.rng.random_range(0..6) {
            0 => Some(Survival::Nothing),
            1 => Some(Survival::All),
            2 => Some(Survival::Sectors(self.rng.random_range(0..=sectors))),
            3 => Some(Survival::Bytes(self.rng.random_range(0..=disk.unsynced_bytes()))),
            4 => Some(Survival::Subset(self.rng.random())),
            _ => None,
        };
        let next = match survival {
            Some(survival) => disk.crash(survival),
            None => disk.fork(),
        };
        next.set_capacity(None);
        self.disk = Watched { disk: next, eyes: self.disk.eyes.clone() };
        (self.halted_at, self.luck) = (None, Luck::default());
        self.note(|| format!("restart {attempt}: {sectors} sectors unsynced, {survival:?} of them survives"));
    }

    /// What was recovered against what was seen, told and expected. False if it could not be read: another restart.
    fn judge(&mut self) -> bool {
        let life = self.life.as_mut().expect("just opened");
        let halted = self.halted_at;
        // The first event of all is part of making the bank.
        let made = life.recovery.head.sequence == 0;
        if made {
            assert_eq!(self.model.head(), 0, "the bank is gone");
            life.open_bank(&self.clock, &self.plan);
            if life.is_poisoned() {
                assert!(self.luck.writes, "a healthy disk poisons nothing");
                return false;
            }
        }
        let mut history = Vec::new();
        let read = life.reading.scan(ledger::Sequence(1), &mut |event| {
            history.push(event);
            std::ops::ControlFlow::Continue(())
        });
        if let Err(fault) = read {
            assert!(self.luck.reads, "what was recovered cannot be read: {fault}");
            return false;
        }
        let found = history.len() as u64;
        if self.model.head() == 0 && found == 1 {
            self.model.fold(&Fact::from(&history[0]), None);
        }
        if let Some(before) = self.doubt.take() {
            self.report.doubts.0 += 1;
            if found == self.model.head() {
                self.report.doubts.1 += 1;
            } else {
                // All of it or none: a batch is one frame.
                assert_eq!(found, before.head(), "half a batch was recovered");
                self.model = before;
            }
        }
        self.model.budget.refill();
        assert!(
            found >= self.disk.eyes.newest(),
            "sequence {} was visible, {found} is left",
            self.disk.eyes.newest()
        );
        assert_eq!(found, self.model.head(), "the newest event that was recovered");
        for (seen, there) in self.seen.iter().zip(&history) {
            assert_eq!(seen, there, "an event that had been seen");
        }
        assert!(self.seen.len() <= history.len(), "events that had been seen are gone");
        for (event, expected) in history.iter().zip(&self.model.facts) {
            assert_eq!(Fact::from(event), **expected, "event {} as recovered", event.sequence);
        }
        let audited: Model = auditor::audit(&history);
        assert_eq!(audited.accounts, self.model.accounts);
        let life = self.life.as_ref().expect("just opened");
        auditor::same_state(life.writing.state(), &self.model);
        auditor::acknowledged(&self.told, &history, &self.model);
        self.seen = history;
        self.stamps = Stamps::new(self.model.time(), self.plan.desk.clock_jump_us);
        let cut = life.recovery.cut.clone();
        self.note(|| format!("recovered {found} events, cut {cut:?}, dies at {halted:?}"));
        true
    }
}
