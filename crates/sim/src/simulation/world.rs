//! The world: one bank, its customers, its operator, its bad luck, played round by round.

mod bad_luck;
mod reading;

use std::collections::VecDeque;
use std::sync::Arc;

use bank::sequencer::Fault;
use bank::store::journal::Chore;
use bank::store::{Reads, Store};
use ledger::{Digest, Event, Sequence};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::Report;
use super::disk::{Eyes, Watched};
use super::life::Life;
use super::plan::Plan;
use super::questions::{self, Answer, Due, Job, Look};
use crate::auditor::{self, Told};
use crate::desk::{self, Asked};
use crate::model::{Ask, Expected, Fact, Model};
use crate::time::{SECOND, SimClock, Stamps};
use crate::workload::Workload;

/// A job in the queue, and what was visible when it was sent.
struct Waiting {
    job: Job,
    asked: Asked<Result<Answer, Fault>>,
}

/// What can go wrong on the disk in this life; what cannot must not.
#[derive(Clone, Copy, Debug, Default)]
struct Luck {
    /// A changing call fails, or the process dies at one.
    writes: bool,
    /// A read fails.
    reads: bool,
    /// The disk is full.
    full: bool,
}

pub(super) struct World {
    pub(super) plan: Plan,
    rng: SmallRng,
    verbose: bool,
    disk: Watched,
    clock: SimClock,
    life: Option<Life>,
    stamps: Stamps,
    workload: Workload,
    model: Model,
    /// The model before the batch whose outcome is unknown; `model` is after it.
    doubt: Option<Model>,
    waiting: VecDeque<Waiting>,
    retry: VecDeque<Ask>,
    /// Every event that was seen, in order.
    seen: Vec<Event>,
    told: Vec<Told>,
    luck: Luck,
    halted_at: Option<u64>,
    report: Report,
}

impl World {
    pub(super) fn new(seed: u64, verbose: bool) -> World {
        let mut rng = SmallRng::seed_from_u64(seed);
        let plan = Plan::draw(&mut rng);
        let disk = Watched { disk: ::journal::disk::SimDisk::new(), eyes: Arc::<Eyes>::default() };
        let mut world = World {
            model: Model::new(plan.desk.refusals),
            stamps: Stamps::new(0, plan.desk.clock_jump_us),
            plan,
            rng,
            verbose,
            disk,
            clock: SimClock::default(),
            life: None,
            workload: Workload::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            doubt: None,
            waiting: VecDeque::new(),
            retry: VecDeque::new(),
            seen: Vec::new(),
            told: Vec::new(),
            luck: Luck::default(),
            halted_at: None,
            report: Report::default(),
        };
        world.note(|| format!("seed {seed}: {:?}", world_plan(seed)));
        world.revive();
        world
    }

    /// One round: time passes, things are asked, a batch is decided, chores are done, and luck may run out.
    pub(super) fn round(&mut self, round: u32) {
        self.note(|| format!("round {round}"));
        self.clock.pass(self.rng.random_range(0..2 * SECOND));
        self.turn_the_clock();
        self.run_out_of_luck();
        self.send();
        if self.rng.random_bool(0.4) {
            self.chores();
        }
        self.decide();
        if self.is_dead() {
            return self.bury();
        }
        if self.rng.random_bool(0.3) {
            self.read();
        }
        if self.rng.random_bool(0.4) {
            self.chores();
        }
        if self.is_dead() {
            return self.bury();
        }
        if self.rng.random_ratio(self.plan.kills, 1_000) {
            self.bury();
        }
    }

    /// A last restart on a good day, a last look at everything.
    pub(super) fn finish(mut self) -> Report {
        self.heal();
        self.bury();
        for _ in 0..20 {
            self.heal();
            self.send();
            self.decide();
        }
        assert!(!self.is_dead(), "a healthy disk poisons nothing");
        self.read();
        let life = self.life.as_mut().expect("alive");
        life.writing.tend();
        let history = auditor::history(&*life.reading);
        let _ = auditor::audit(&history);
        auditor::same_state(life.writing.state(), &self.model);
        auditor::acknowledged(&self.told, &history, &self.model);
        let head = life.reading.head();
        self.note(|| format!("head {} {:02x?}", head.sequence, head.hash));
        self.life = None;
        let mut bytes = Vec::new();
        for path in self.disk.disk.paths() {
            bytes.extend_from_slice(path.to_string_lossy().as_bytes());
            bytes.extend(self.disk.disk.contents(&path).expect("listed"));
        }
        self.report.disk = Digest::over(&[&bytes]);
        self.report.events = self.model.head();
        self.report
    }

    /// Adds a line to the trace.
    fn note(&mut self, line: impl FnOnce() -> String) {
        let line = line();
        if self.verbose {
            println!("{line}");
        }
        self.report.trace = Digest::over(&[&self.report.trace.0, line.as_bytes()]);
    }

    /// Puts some jobs into the queue: new ones, old ones again, questions.
    fn send(&mut self) {
        // A rush fills several batches: the later ones hold sets of old keys that filing has replaced meanwhile.
        let most = if self.rng.random_bool(0.12) { 40 } else { 5 };
        for _ in 0..self.rng.random_range(0..=most) {
            let job = match self.rng.random_range(0..10) {
                0..2 => Job::Look(self.look()),
                2..4 if !self.retry.is_empty() => Job::Ask(self.retry.pop_front().expect("looked")),
                _ => Job::Ask(self.workload.next(&self.model, self.clock.now())),
            };
            // An impatient client sends it twice; both are under way at once.
            let twice = matches!(job, Job::Ask(_)) && self.rng.random_bool(0.05);
            if twice {
                self.enqueue(job.clone());
            }
            self.enqueue(job);
        }
        if self.stamps.stopped(&self.clock) && self.rng.random_bool(0.3) {
            self.enqueue(Job::ConfirmClock);
        }
    }

    fn look(&mut self) -> Look {
        match self.rng.random_range(0..10) {
            0..4 => Look::Account(self.rng.random_range(0..=self.model.accounts.len() as u64 + 1)),
            4..7 if !self.model.keys.is_empty() => {
                let index = self.rng.random_range(0..self.model.keys.len());
                Look::Claim(*self.model.keys.keys().nth(index).expect("counted"))
            }
            7 => Look::Hold(self.rng.random_range(1..=self.model.head() + 1)),
            8 => Look::Day,
            _ => Look::TrialBalance,
        }
    }

    fn enqueue(&mut self, job: Job) {
        let life = self.life.as_ref().expect("alive");
        let mut asked = questions::ask(life.books.clone(), job.clone());
        match desk::poll(&mut asked) {
            None => self.waiting.push_back(Waiting { job, asked }),
            // Turned away at the door: it left no trace.
            Some(Err(Fault::Overloaded)) => self.again(job),
            Some(Err(Fault::Unreadable(why))) => {
                assert!(self.luck.reads, "a healthy disk can be read: {why}");
                self.again(job);
            }
            Some(other) => panic!("answered before it was decided: {other:?}"),
        }
    }

    /// The client will try again, if it can do so without harm: under its key.
    fn again(&mut self, job: Job) {
        if let Job::Ask(ask) = job {
            let keyed = match &ask {
                Ask::One(request) => !request.key.is_none(),
                Ask::Many(requests) => requests.iter().all(|request| !request.key.is_none()),
                Ask::Group { .. } | Ask::Name(..) => true,
            };
            if keyed {
                self.retry.push_back(ask);
            }
        }
    }

    /// One batch, and every answer of it against the model's.
    fn decide(&mut self) {
        let life = self.life.as_mut().expect("alive");
        let ready = life.writing.ready();
        life.step();
        let poisoned = life.is_poisoned();
        let mut batch: Vec<(Job, Result<Answer, Fault>)> = Vec::new();
        let mut still = VecDeque::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            match desk::poll(&mut waiting.asked) {
                Some(answer) => {
                    assert!(still.is_empty(), "answered out of order: {:?}", waiting.job);
                    batch.push((waiting.job, answer));
                }
                None => still.push_back(waiting),
            }
        }
        self.waiting = still;
        for (job, answer) in &batch {
            self.note(|| format!("{job:?}\n  => {answer:?}"));
        }
        // What is too large for a frame is turned away before the batch is decided.
        batch.retain(|(_, answer)| !matches!(answer, Err(Fault::TooLarge)));

        let confirmed = batch.iter().any(|(job, _)| matches!(job, Job::ConfirmClock));
        let stamp = self.stamps.next(&self.clock, confirmed);
        let time = stamp.filter(|_| ready.is_ok());
        let before = self.model.clone();
        if let Some(time) = time {
            self.model.expire(time);
        } else {
            self.report.turned_away += 1;
        }
        let dues: Vec<Due> =
            batch.iter().map(|(job, _)| questions::due(&mut self.model, job, time)).collect();
        if poisoned {
            assert!(self.luck.writes, "a healthy disk poisons nothing");
            self.doubt = Some(before);
            for (job, answer) in batch {
                assert!(
                    matches!(answer, Err(Fault::Poisoned(_))),
                    "answered after a failed write: {answer:?}"
                );
                self.again(job);
            }
            return;
        }
        for ((job, answer), due) in batch.into_iter().zip(&dues) {
            self.compare(job, answer, due, ready.as_ref().err());
        }
        self.look_at_new_events();
    }

    /// `full`: why the store could take nothing, if it could not.
    fn compare(&mut self, job: Job, answer: Result<Answer, Fault>, due: &Due, full: Option<&Fault>) {
        self.report.answers += 1;
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) => {
                self.allow(&fault, due.meets_fault(), full);
                return self.again(job);
            }
        };
        questions::same(due, &job, &answer, &self.model);
        self.remember(&job, due, &answer);
        let (Answer::Each(each), Due::Outcomes(expected)) = (&answer, due) else { return };
        for (one, expected) in each.iter().zip(expected) {
            match one {
                Err(fault) => self.allow(fault, *expected == Expected::NotNow, full),
                Ok(one) => {
                    assert_ne!(*expected, Expected::NotNow, "decided although nothing may be: {one:?}")
                }
            }
        }
        if each.iter().any(Result::is_err) {
            self.again(job);
        }
    }

    /// A fault is answered only where bad luck had a part in it.
    fn allow(&self, fault: &Fault, turned_away: bool, full: Option<&Fault>) {
        match (full, fault) {
            // Decided, but the older event that answers it could not be read.
            (_, Fault::Unreadable(why)) => assert!(self.luck.reads, "a healthy disk can be read: {why}"),
            (Some(Fault::DiskFull), Fault::DiskFull) if turned_away => {
                assert!(self.luck.full || self.luck.writes);
            }
            (None, Fault::ClockJumped(_)) if turned_away => {}
            other => panic!("turned away for another reason: {other:?}"),
        }
    }

    /// Keeps what was told, to be held against the history after every crash.
    fn remember(&mut self, job: &Job, due: &Due, answer: &Answer) {
        let head = Sequence(self.model.head());
        if let Answer::Each(each) = answer {
            for one in each.iter().flatten() {
                if let bank::books::Decided::Accepted { event, .. } = one {
                    self.told.push(Told::Happened(vec![event.clone()]));
                }
            }
        }
        let (Due::Outcomes(expected), Job::Ask(ask)) = (due, job) else { return };
        let keys: Vec<Digest> = match ask {
            Ask::One(request) => vec![request.key],
            Ask::Many(requests) => requests.iter().map(|request| request.key).collect(),
            Ask::Group { header, .. } => vec![header.key],
            Ask::Name(..) => return,
        };
        for (expected, key) in expected.iter().zip(keys) {
            let unkept = matches!(expected, Expected::Refused(_, None) | Expected::Throttled);
            // The same key may have been used later in the same batch.
            if unkept && !key.is_none() && !self.model.keys.contains_key(&key) {
                self.told.push(Told::Absent(key, head));
            }
        }
    }

    /// What has become visible is what the model says, event by event.
    fn look_at_new_events(&mut self) {
        let life = self.life.as_ref().expect("alive");
        let mut new = Vec::new();
        let scanned = life.reading.scan(Sequence(self.seen.len() as u64 + 1), &mut |event| {
            new.push(event);
            std::ops::ControlFlow::Continue(())
        });
        if let Err(fault) = scanned {
            assert!(self.luck.reads, "a healthy disk can be read: {fault}");
            return;
        }
        for event in new {
            let expected = self.model.facts.get(event.sequence.0 as usize - 1);
            let Some(expected) = expected else { panic!("an event that nobody asked for: {event:?}") };
            assert_eq!(Fact::from(&event), **expected, "event {}", event.sequence);
            self.seen.push(event);
        }
        assert_eq!(self.seen.len() as u64, self.model.head(), "visible events");
    }

    /// Background work, a few pieces of it.
    fn chores(&mut self) {
        let most = if self.rng.random_bool(0.2) { 20 } else { 4 };
        for _ in 0..self.rng.random_range(1..=most) {
            let life = self.life.as_mut().expect("alive");
            let (name, done) = match self.rng.random_range(0..8) {
                0..3 => ("keys", life.background.step(Chore::Keys)),
                3..5 => ("references", life.background.step(Chore::References)),
                5..7 => ("snapshot", life.background.step(Chore::Snapshot)),
                _ => {
                    life.writing.tend();
                    ("tend", Ok(false))
                }
            };
            match &done {
                Ok(done) => self.report.chores += u64::from(*done),
                Err(why) => {
                    let may = self.luck.writes || self.luck.reads || self.luck.full;
                    assert!(may, "a chore failed on a healthy disk: {why}");
                }
            }
            self.note(|| format!("chore {name}: {done:?}"));
        }
    }
}

fn world_plan(seed: u64) -> Plan {
    Plan::draw(&mut SmallRng::seed_from_u64(seed))
}
