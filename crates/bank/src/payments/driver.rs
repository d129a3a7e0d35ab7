//! The driver: does what is due, one act and one transition at a time.
//!
//! ```text
//!  rows with due_at ≤ now ─► act (books or rail) ─► what was seen ─► note ─► the next act, until nothing is due
//! ```
//! Nothing is remembered here that matters: killed at any point, the next driver reads the rows and goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::lease::{Holder, Lease};
use super::ledger_step::Done;
use super::note::Seen;
use super::payment::Payment;
use super::rail::{Heard, Order, Rail, What};
use super::saga::{Act, Observation, State, Step};
use super::{PaymentError, Payments, now};
use crate::database::Actor;
use crate::sequencer::Fault;
use ledger::money::Major;

/// Payments that are worked on at a time. Most of them wait for a rail.
const WORKERS: usize = 32;

/// Rows that are looked at in one go: those under way are still among them.
const LOOK: i64 = 2 * WORKERS as i64;

/// The longest sleep: other services may have made something due.
const SLEEP: Duration = Duration::from_millis(500);

/// How often is noted up to which event all payments have their rows, µs.
const MARK_US: i64 = 60_000_000;

/// The pause after something could not be done at all.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// What came of one act.
pub(super) enum Came {
    /// Something was noted, or there is something else to do now.
    On,
    /// Not before this moment, µs.
    Later(i64),
    /// The rail is not to be asked before this moment, µs.
    RailLater(i64),
}

impl Payments {
    /// Drives all payments of the bank, until the task is dropped. Where services share the database, only while this
    /// one has the lease; without a holder there is no other.
    pub async fn drive(self: Arc<Self>, holder: Option<Holder>) {
        let mut lease = holder.map(Lease::new);
        let mut marked = now();
        let workers = Arc::new(Semaphore::new(WORKERS));
        let mut tasks = JoinSet::new();
        loop {
            while tasks.try_join_next().is_some() {}
            let pause = match self.round(lease.as_mut(), &mut marked, &workers, &mut tasks).await {
                Ok(pause) => pause,
                Err(PaymentError::Books(Fault::Stopped)) => return,
                Err(error) => {
                    tracing::warn!(%error, "payments were not driven; it is tried again");
                    PAUSE
                }
            };
            let _ = tokio::time::timeout(pause, self.wake.notified()).await;
        }
    }

    /// Starts what is due; answers how long to sleep.
    async fn round(
        self: &Arc<Self>,
        lease: Option<&mut Lease>,
        marked: &mut i64,
        workers: &Arc<Semaphore>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Duration, PaymentError> {
        let at = now();
        if let Some(lease) = lease
            && !lease.is_ours(&self.database, at).await?
        {
            return Ok(PAUSE);
        }
        let horizon = at + SLEEP.as_micros() as i64;
        let rows = self.due(horizon, LOOK).await?;
        let mut sleep = SLEEP;
        for payment in rows {
            let due = payment.due_at.unwrap_or(i64::MAX);
            if due > at {
                sleep = sleep.min(Duration::from_micros(due.abs_diff(at)));
                break;
            }
            if self.busy.has(payment.id) {
                continue;
            }
            let Ok(permit) = Arc::clone(workers).try_acquire_owned() else { break };
            let payments = Arc::clone(self);
            tasks.spawn(async move {
                payments.work(payment.id).await;
                drop(permit);
                payments.wake.notify_one();
            });
        }
        for promise in self.promises_due(at, LOOK).await? {
            if self.busy.has(promise.id) {
                continue;
            }
            let Ok(permit) = Arc::clone(workers).try_acquire_owned() else { break };
            let payments = Arc::clone(self);
            tasks.spawn(async move {
                payments.work_promise(promise.id).await;
                drop(permit);
                payments.wake.notify_one();
            });
        }
        self.incoming_due(at).await?;
        if at >= *marked + MARK_US {
            self.mark_seen(self.books.reads().head().sequence).await?;
            *marked = at;
        }
        Ok(sleep)
    }

    /// Takes a payment as far as it goes now. What cannot be done keeps the worker for a moment, so that it is
    /// not tried over and over.
    async fn work(&self, id: Uuid) {
        let came = self.advance_while(id, |_| true).await;
        let Some(wait) = waits(came, id) else { return };
        let Some(_busy) = self.busy.occupy(id) else { return };
        tokio::time::sleep(wait).await;
    }

    /// The same of a promise.
    async fn work_promise(&self, id: Uuid) {
        let Some(_busy) = self.busy.occupy(id) else { return };
        let Some(wait) = waits(self.keep_due(id).await, id) else { return };
        tokio::time::sleep(wait).await;
    }

    /// Does what is due of a payment while it stands in `state`.
    pub(super) async fn advance(&self, id: Uuid, state: State) -> Result<(), PaymentError> {
        self.advance_while(id, |payment| payment.saga.state == state).await.map(drop)
    }

    /// Does what is due while `wanted`; answers when to try again what could not be done.
    async fn advance_while(
        &self,
        id: Uuid,
        wanted: impl Fn(&Payment) -> bool,
    ) -> Result<Option<i64>, PaymentError> {
        let Some(_busy) = self.busy.occupy(id) else { return Ok(None) };
        while let Some(payment) = self.payment(id).await? {
            if !wanted(&payment) || payment.due_at.is_none_or(|due| due > now()) {
                break;
            }
            match self.act(&payment).await? {
                Came::On => {}
                Came::Later(at) => return Ok(Some(at)),
                Came::RailLater(at) => {
                    self.postpone(&payment.rail, at).await?;
                    break;
                }
            }
        }
        Ok(None)
    }

    async fn act(&self, payment: &Payment) -> Result<Came, PaymentError> {
        match payment.act() {
            // A row that is due and has nothing to do: somebody changed it by hand.
            Act::Rest => Ok(Came::Later(now() + PAUSE.as_micros() as i64)),
            Act::Await => self.noted(payment, Observation::Window, None, None).await,
            Act::Post(step) => self.step(payment, step).await,
            Act::Send if payment.is_made_again() => {
                let why = "the other side does not know it, and to whom it goes is lost";
                self.noted(payment, Observation::CancelAsked, Some(why), None).await
            }
            Act::Send | Act::Enquire | Act::Cancel => self.ask(payment).await,
            Act::Prepare | Act::Tell => self.consult(payment).await,
        }
    }

    async fn step(&self, payment: &Payment, step: Step) -> Result<Came, PaymentError> {
        match self.post(payment, step).await? {
            Done::Posted(event) => self.noted(payment, Observation::Posted(step), None, Some(event)).await,
            Done::Refused(because, event, why) => {
                let saw = Observation::Refused { step, attempt: payment.saga.attempt, because };
                self.noted(payment, saw, Some(&why), Some(event)).await
            }
            Done::NotNow(why) => {
                tracing::warn!(payment = %payment.id, step = step.name(), why, "a step waits");
                Ok(Came::Later(now() + PAUSE.as_micros() as i64))
            }
        }
    }

    async fn ask(&self, payment: &Payment) -> Result<Came, PaymentError> {
        let Some(settings) = self.rail(&payment.rail).await? else {
            return Ok(Came::Later(now() + PAUSE.as_micros() as i64));
        };
        let again = payment.saga.tries > 0;
        let heard = match self.way(&settings) {
            Err(why) => Heard::Nothing(why),
            Ok(way) => match payment.act() {
                Act::Send => way.submit(&order(payment), again).await,
                Act::Cancel => way.cancel(&payment.reference, again).await,
                _ => way.enquire(&payment.reference).await,
            },
        };
        match heard {
            Heard::Said(said) => {
                let saw = match said.what {
                    What::Stands(answer) => Observation::Rail(answer),
                    What::CancelDenied => Observation::Denied,
                };
                let by = Actor::new(&format!("rail:{}", payment.rail), "answer");
                let words = said.words();
                let seen = Seen { by: &by, reason: words.as_deref(), event: None, resolves: None };
                let noted = self.note(payment.id, saw, &seen).await?;
                // What changes nothing would be asked again at once: it counts as a look in vain.
                if noted.is_some_and(|noted| !noted.changed && noted.payment.version == payment.version) {
                    return self.noted(payment, Observation::Silence, words.as_deref(), None).await;
                }
                Ok(Came::On)
            }
            Heard::Nothing(why) => self.noted(payment, Observation::Silence, Some(&why), None).await,
            Heard::NotAsked { until, everything: true } => Ok(Came::RailLater(until)),
            Heard::NotAsked { until, everything: false } => Ok(Came::Later(until)),
        }
    }

    pub(super) async fn noted(
        &self,
        payment: &Payment,
        saw: Observation,
        reason: Option<&str>,
        event: Option<ledger::Sequence>,
    ) -> Result<Came, PaymentError> {
        let by = Payments::ourselves();
        let seen = Seen { by: &by, reason, event, resolves: None };
        self.note(payment.id, saw, &seen).await?;
        Ok(Came::On)
    }
}

/// How long to leave something alone that could not be done now.
fn waits(came: Result<Option<i64>, PaymentError>, id: Uuid) -> Option<Duration> {
    match came {
        Ok(later) => later.map(|at| Duration::from_micros((at - now()).max(0).unsigned_abs()).min(PAUSE)),
        Err(error) => {
            tracing::warn!(%error, %id, "a payment or a promise did not go on; it is tried again");
            Some(PAUSE)
        }
    }
}

pub(super) fn order(payment: &Payment) -> Order {
    Order {
        reference: payment.reference.clone(),
        amount: Major(payment.amount.into(), payment.currency).to_string(),
        currency: payment.currency.code().to_owned(),
        debtor: payment.debtor.clone(),
        beneficiary: payment.beneficiary.clone(),
        description: payment.description.clone(),
    }
}
