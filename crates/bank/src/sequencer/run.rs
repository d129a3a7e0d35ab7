//! The rules thread's loop.

use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use smallvec::{SmallVec, smallvec};

use super::clock::{Clock, Stamp};
use super::fault::Fault;
use super::process::{self, RefusalBudget};
use super::queue::Queue;
use super::submission::{Outcome, Query, Submission, Work};
use crate::store::{Answered, Store, Unsettled};

/// How the sequencer works.
pub struct Settings<C> {
    /// Where time comes from.
    pub clock: C,
    /// A leap of the wall clock beyond this stops writes, microseconds.
    pub clock_jump_us: i64,
    /// What principals may have recorded.
    pub refusals: RefusalBudget,
    /// Commands in a batch, at most; a larger submission is a batch of its own.
    pub batch_max: usize,
    /// Bytes of a batch, at most; a larger submission is answered with [`Fault::TooLarge`].
    pub bytes_max: usize,
}

/// Holds that are expired in one batch at most, so that a mass expiry delays nobody for long.
const EXPIRE_MAX: usize = 1_024;

/// The rules thread's own part: the stamp, the budget, and what did not fit into the last batch.
///
/// [`run`] turns it for ever; the simulator turns it by hand, one batch at a time.
pub struct Rules<C> {
    stamp: Stamp<C>,
    refusals: RefusalBudget,
    batch_max: usize,
    bytes_max: usize,
    carried: Option<Submission>,
    batch: Vec<Submission>,
}

impl<C: Clock> Rules<C> {
    /// Ready to decide for `store`.
    pub fn new<S: Store>(store: &S, settings: Settings<C>) -> Rules<C> {
        let Settings { clock, clock_jump_us, refusals, batch_max, bytes_max } = settings;
        let stamp = Stamp::new(clock, store.time(), clock_jump_us);
        Rules { stamp, refusals, batch_max, bytes_max, carried: None, batch: Vec::new() }
    }

    /// Decides one batch of whatever waits, an empty one if nothing does: then holds expire. Never waits.
    /// False if it was told to stop.
    pub fn step<S: Store>(&mut self, store: &mut S, queue: &Queue) -> bool {
        let first = self.carried.take().or_else(|| queue.receiver.try_recv().ok());
        self.batch(store, queue, first)
    }

    fn batch<S: Store>(&mut self, store: &mut S, queue: &Queue, first: Option<Submission>) -> bool {
        self.carried = fill(&mut self.batch, first, queue, self.batch_max, self.bytes_max);
        queue.decides(self.batch.iter().map(|submission| submission.work.weight()).sum());
        let stop = self.batch.iter().any(|submission| matches!(submission.work, Work::Stop));
        decide(store, &mut self.stamp, &self.refusals, &mut self.batch);
        !stop
    }
}

/// Decides until every way in is gone.
pub fn run<S: Store, C: Clock>(store: &mut S, queue: &Queue, settings: Settings<C>) {
    let mut rules = Rules::new(store, settings);
    loop {
        let first = match rules.carried.take() {
            Some(submission) => Some(submission),
            None => match queue.receiver.recv_timeout(sleep(store, &mut rules.stamp)) {
                Ok(submission) => Some(submission),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            },
        };
        if !rules.batch(store, queue, first) {
            return;
        }
    }
}

/// Takes whatever waits, up to `max` commands. What no longer fits is carried into the next batch.
fn fill(
    batch: &mut Vec<Submission>,
    first: Option<Submission>,
    queue: &Queue,
    weight_max: usize,
    bytes_max: usize,
) -> Option<Submission> {
    let (mut weight, mut bytes) = (0, 0);
    let mut next = first;
    while let Some(submission) = next {
        let (more_weight, more_bytes) = (submission.work.weight(), submission.work.bytes());
        let room = bytes_max.saturating_sub(EXPIRE_MAX * 512);
        if more_bytes > room {
            queue.taken(more_weight);
            (submission.reply)(Err(Fault::TooLarge));
            next = queue.receiver.try_recv().ok();
            continue;
        }
        if weight > 0 && (weight + more_weight > weight_max || bytes + more_bytes > room) {
            return Some(submission);
        }
        weight += more_weight;
        bytes += more_bytes;
        queue.taken(more_weight);
        batch.push(submission);
        next = queue.receiver.try_recv().ok();
    }
    None
}

fn decide<S: Store, C: Clock>(
    store: &mut S,
    stamp: &mut Stamp<C>,
    refusals: &RefusalBudget,
    batch: &mut Vec<Submission>,
) {
    if batch.iter().any(|submission| matches!(submission.work, Work::ConfirmClock)) {
        stamp.confirm();
    }
    let time = stamp.stamp();
    let writable = store.ready().and(time.map_err(|jump| Fault::ClockJumped(jump.seconds)));
    loop {
        if let Err(fault) = store.begin(batch, writable.as_ref().ok().copied()) {
            return turn_away(batch, &fault);
        }
        // Others may write the same books, by clocks of their own: time does not go back for that.
        let writable = writable.clone().map(|time| time.max(store.time()));
        if let Ok(time) = writable {
            process::freeze_suspects(store, time, refusals);
            process::expire_due(store, time, EXPIRE_MAX, refusals);
        }
        let outcomes: Vec<_> =
            batch.iter().map(|submission| outcomes(store, submission, &writable, refusals)).collect();
        match store.settle() {
            Ok(()) => {
                let answers = batch.drain(..).zip(outcomes);
                let answers =
                    answers.map(|(Submission { reply, .. }, outcomes)| Answered { outcomes, reply });
                return store.hand_over(answers.collect());
            }
            Err(Unsettled::Again) => {}
            Err(Unsettled::Fault(fault)) => return turn_away(batch, &fault),
        }
    }
}

fn outcomes<S: Store>(
    store: &mut S,
    Submission { work, prior, .. }: &Submission,
    writable: &Result<i64, Fault>,
    refusals: &RefusalBudget,
) -> SmallVec<[Outcome; 1]> {
    match (work, writable) {
        (Work::Query(Query::Ready), Err(fault)) => smallvec![Outcome::Fault(fault.clone())],
        (Work::Query(_) | Work::ConfirmClock | Work::Stop, _) => {
            process::work(store, work, prior, 0, refusals)
        }
        (_, Ok(time)) => process::work(store, work, prior, *time, refusals),
        (_, Err(fault)) => process::known(store, work, prior, fault),
    }
}

fn turn_away(batch: &mut Vec<Submission>, fault: &Fault) {
    for Submission { reply, .. } in batch.drain(..) {
        reply(Err(fault.clone()));
    }
}

/// Until the next hold expires, or for long.
fn sleep<S: Store, C: Clock>(store: &S, stamp: &mut Stamp<C>) -> Duration {
    match store.next_due() {
        // Never a busy loop while writes are stopped or the stamp stands still.
        Some(due) => Duration::from_micros(stamp.until(due).max(10_000)).min(store.idle()),
        None => store.idle(),
    }
}
