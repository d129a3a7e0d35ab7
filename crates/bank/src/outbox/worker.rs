//! One subscription at work: read the books, send, note what came of it, write down how far it is.
//!
//! ```text
//!  books ─ a stretch at a time ─► lanes ─ what is free, as a parcel ─► sink ─► done / parked / dead letter
//!            only while it gets through                                         │ some times a second
//!                                                                               └─► mark and parked in the bank database
//! ```
//! What is held is bounded, whatever the subscriber does: a stretch is read only when few events could go out. Beyond a
//! bound documents are let go and made again from the books, which costs more than waiting: more is read then only if
//! the sink has little to do otherwise, as when all that is held waits behind a customer whose events are not taken.

mod documents;
mod outcome;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use super::Shared;
use super::lanes::Lanes;
use super::message::Message;
use super::progress::{DeadLetter, News, Progress, Tried};
use super::retry::Health;
use super::seen::Seen;
use super::sink::{Attempt, Capacity, Sink};
use super::subscription::Subscription;
use crate::database::DatabaseError;
use crate::sequencer::{Clock as _, Fault, SystemClock};
use crate::store::Watch;
use documents::Documents;

/// Events that are held at most, parked ones and those behind them included. Beyond that nothing more is read.
pub const UNDONE_MAX: usize = 16_384;

/// More is read while fewer than this could go out at once.
const READY_LOW: usize = 1_024;

/// The sink has enough to do while one part in so many of what it takes is on its way or could be.
const ENOUGH: usize = 4;

/// How often progress is written at most.
const WRITE_EVERY: Duration = Duration::from_millis(500);

/// After a fault of the books or the database.
const PAUSE: Duration = Duration::from_secs(1);

/// How long what is on its way may take when the service stops.
const GRACE: Duration = Duration::from_secs(3);

/// Why a worker ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ended {
    /// It was told to.
    Stopped,
    /// The subscriber wants nothing any more, or was down for too long: why, in words.
    Disable(String),
}

/// How a worker is told things.
pub(super) struct Signals {
    pub(super) stop: watch::Receiver<bool>,
    /// Something was parked to be sent again.
    pub(super) again: Arc<Notify>,
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    subscription: Subscription,
    sink: Arc<dyn Sink>,
    capacity: Capacity,
    seen: Arc<Seen>,
    lanes: Lanes,
    health: Health,
    progress: Progress,
    documents: Documents,
    failed: Vec<Tried>,
    dead: Vec<DeadLetter>,
    watch: Watch,
    wrote: Instant,
}

/// An event, how often it failed before, and what came of it now.
type Answer = (u64, u32, Attempt);

/// Parcels on their way.
type Out = FuturesUnordered<BoxFuture<'static, Vec<Answer>>>;

impl Worker {
    /// Takes up where the subscription was left.
    pub(super) async fn new(
        shared: Arc<Shared>,
        subscription: Subscription,
        sink: Arc<dyn Sink>,
        seen: Arc<Seen>,
    ) -> Result<Worker, DatabaseError> {
        let progress = Progress::read(&shared.database, subscription.id, subscription.begins_after).await?;
        let lanes = Lanes::new(progress.durable().mark);
        Ok(Worker {
            documents: Documents::new(Arc::clone(&shared), subscription.clone()),
            watch: shared.books.reads().watch(),
            shared,
            subscription,
            capacity: sink.capacity(),
            sink,
            seen,
            lanes,
            health: Health::default(),
            progress,
            failed: Vec::new(),
            dead: Vec::new(),
            wrote: Instant::now(),
        })
    }

    /// Works until it is told to stop.
    pub(super) async fn run(mut self, mut signals: Signals) -> Ended {
        while let Err(fault) = self.keep(self.progress.durable().parked).await {
            if pause(&fault, &mut signals).await {
                return Ended::Stopped;
            }
        }
        let mut out = Out::new();
        let ended = loop {
            if *signals.stop.borrow() {
                break Ended::Stopped;
            }
            self.shared.pace.turn().await;
            if let Err(fault) = self.read_and_send(&mut out).await
                && pause(&fault, &mut signals).await
            {
                break Ended::Stopped;
            }
            if !self.could_read() {
                let wait = self.wait();
                tokio::select! {
                    Some(answers) = out.next() => {
                        if let Some(why) = self.answered(answers) { break Ended::Disable(why) }
                    }
                    changed = self.watch.changed() => if changed.is_err() { break Ended::Stopped },
                    () = signals.again.notified() => self.again().await,
                    _ = signals.stop.changed() => {}
                    () = sleep(wait) => {}
                }
            }
            let mut end = None;
            while let Some(Some(answers)) = out.next().now_or_never() {
                end = end.or(self.answered(answers));
            }
            if let Some(why) = end {
                break Ended::Disable(why);
            }
            if self.wrote.elapsed() >= WRITE_EVERY {
                self.write().await;
            }
        };
        // What is on its way may still arrive; what does not is sent again by the next start.
        let last = async {
            while let Some(answers) = out.next().await {
                self.answered(answers);
            }
        };
        let _ = tokio::time::timeout(GRACE, last).await;
        self.write().await;
        ended
    }

    /// Would more be read if it were there, and is it?
    fn could_read(&self) -> bool {
        // For a subscriber that is down one new event is enough to see whether it is back.
        let low = if self.health.down_since_us().is_some() { 1 } else { READY_LOW };
        let enough = self.capacity.parcels * self.capacity.events / ENOUGH;
        let idle = self.lanes.ready() + self.lanes.in_flight() < enough;
        self.lanes.ready() < low
            && self.lanes.undone() < UNDONE_MAX
            && (!self.documents.are_full() || idle)
            && self.lanes.read() < self.shared.books.reads().head().sequence.0
    }

    async fn read_and_send(&mut self, out: &mut Out) -> Result<(), Fault> {
        if self.could_read() {
            self.read().await?;
        }
        while out.len() < self.capacity.parcels && self.health.may_send(out.len(), now_us()) {
            let mut parcel = Vec::new();
            let filled = self.fill(&mut parcel).await;
            if !parcel.is_empty() {
                let (events, messages): (Vec<_>, Vec<_>) = parcel.into_iter().unzip();
                let delivery = self.sink.deliver(messages);
                let answer =
                    |((sequence, before), attempt): ((u64, u32), Attempt)| (sequence, before, attempt);
                let answers =
                    move |attempts: Vec<Attempt>| events.into_iter().zip(attempts).map(answer).collect();
                out.push(delivery.map(answers).boxed());
            } else if filled.is_ok() {
                break;
            }
            filled?;
        }
        Ok(())
    }

    /// Puts into a parcel what is free, up to what the sink takes.
    async fn fill(&mut self, parcel: &mut Vec<((u64, u32), Arc<Message>)>) -> Result<(), Fault> {
        let (down, now_us) = (self.health.down_since_us().is_some(), now_us());
        let most = if down { 1 } else { self.capacity.events };
        while parcel.len() < most {
            let new = if down { self.lanes.next_new() } else { None };
            let Some((sequence, attempts)) = new.or_else(|| self.lanes.next(now_us)) else { break };
            match self.documents.take(sequence).await {
                Ok(Some(message)) => parcel.push(((sequence, attempts), message)),
                Ok(None) => self.lanes.done(sequence),
                Err(fault) => {
                    let later = now_us + i64::try_from(PAUSE.as_micros()).unwrap_or(i64::MAX);
                    self.lanes.failed(sequence, attempts.max(1), later);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// The next stretch of the books.
    async fn read(&mut self) -> Result<(), Fault> {
        let from = self.lanes.read() + 1;
        let stretch = self.documents.stretch(from).await?;
        for read in stretch.from(from) {
            let sequence = read.event.sequence.0;
            if !self.documents.wants(&read.event) {
                self.lanes.pass(sequence);
                continue;
            }
            if self.lanes.undone() >= UNDONE_MAX {
                break;
            }
            self.documents.keep(&stretch, read).await?;
            self.lanes.take(sequence, read.lanes.clone());
        }
        Ok(())
    }

    /// Takes in events that were parked.
    async fn keep(&mut self, parked: Vec<super::lanes::Parked>) -> Result<(), Fault> {
        for parked in parked {
            if self.lanes.holds(parked.sequence) {
                self.lanes.bring_forward(parked.sequence, parked.due_us);
                continue;
            }
            let stretch = self.documents.stretch(parked.sequence).await?;
            if let Some(read) = stretch.at(parked.sequence) {
                self.lanes.keep(parked, read.lanes.clone());
            }
        }
        Ok(())
    }

    /// Something may have been parked to be sent again; all others keep their time.
    async fn again(&mut self) {
        match self.progress.reread().await {
            Ok(parked) => {
                if let Err(fault) = self.keep(parked).await {
                    tracing::warn!(%fault, "what is to be sent again waits for the next start");
                }
            }
            Err(error) => tracing::warn!(%error, "what is to be sent again waits for the next start"),
        }
    }

    /// How long nothing needs to be looked at.
    fn wait(&self) -> Duration {
        let next = self.lanes.due().into_iter().chain((self.lanes.ready() > 0).then_some(0)).min();
        let next = next.map(|due| due.max(self.health.not_before_us()));
        let until = next.map(|due| Duration::from_micros(u64::try_from(due - now_us()).unwrap_or(0)));
        // What is ready but may not go out waits for an answer, which wakes as well.
        let until = until.filter(|wait| !wait.is_zero()).unwrap_or(WRITE_EVERY);
        until.clamp(Duration::from_millis(1), WRITE_EVERY)
    }

    /// Writes down how far it is, if that has changed.
    async fn write(&mut self) {
        self.wrote = Instant::now();
        let durable = self.lanes.durable();
        let oldest_us = match self.lanes.oldest() {
            Some(sequence) => self.shared.event(sequence).await.ok().map(|event| event.time),
            None => None,
        };
        self.seen.update(|seen| {
            seen.oldest_us = oldest_us;
            seen.undone = self.lanes.undone();
            seen.in_flight = self.lanes.in_flight();
        });
        let news = News { durable: &durable, dead: &self.dead, failed: &self.failed };
        if self.progress.holds(&news) {
            return;
        }
        match self.progress.write(&news, now_us()).await {
            Ok(()) => {
                self.lanes.passed(&durable);
                self.dead.clear();
                self.failed.clear();
            }
            // Deliveries go on: what is not written down is sent again after a restart.
            Err(error) => {
                tracing::warn!(%error, "how far a subscription is was not written; it is tried again")
            }
        }
    }
}

/// Waits after a fault; true if it is time to stop.
async fn pause(fault: &Fault, signals: &mut Signals) -> bool {
    if *fault == Fault::Stopped {
        return true;
    }
    tracing::warn!(%fault, "events cannot be read for a subscriber; it is tried again");
    tokio::select! {
        _ = signals.stop.wait_for(|stop| *stop) => true,
        () = sleep(PAUSE) => false,
    }
}

fn now_us() -> i64 {
    SystemClock::new().wall()
}

/// A number from 0 to 1.
fn luck() -> f64 {
    f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX)
}
