//! All workers at work: a runtime of low priority, and a worker for each subscription that is not disabled.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::progress::{Tried, subsystem};
use super::seen::{Now, Seen};
use super::sink::file::Lines;
use super::sink::nats::Nats;
use super::sink::rabbitmq::RabbitMq;
use super::sink::webhook::{Webhook, address};
use super::sink::{Sink, SinkKind};
use super::subscription::{Disabled, Subscription};
use super::worker::{Ended, Signals, Worker};
use super::{Settings, Shared, rows};
use crate::sequencer::{Clock as _, SystemClock};

/// Threads for all workers together.
const THREADS: usize = 2;

/// Payments go first: on Linux this is the threads' own niceness.
pub(super) const NICENESS: i32 = 10;

/// How long a sink that cannot be opened is let alone.
const REOPEN: Duration = Duration::from_secs(5);

/// The workers, if any were started.
#[derive(Default)]
pub(super) struct Running {
    runtime: Mutex<Option<Runtime>>,
    /// It is this service's turn to deliver.
    delivers: AtomicBool,
    workers: Mutex<HashMap<Uuid, Handle>>,
}

struct Handle {
    subscription: Subscription,
    /// When its newest secret was made.
    stamp: i64,
    stop: watch::Sender<bool>,
    again: Arc<Notify>,
    seen: Arc<Seen>,
    /// None once it was stopped; what was seen of it stays.
    task: Option<JoinHandle<()>>,
}

impl Running {
    /// Makes the threads.
    pub(super) fn start(&self) -> io::Result<()> {
        let mut runtime = self.runtime.lock();
        if runtime.is_none() {
            let built = Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("outbox")
                .on_thread_start(|| {
                    let _ = rustix::process::nice(NICENESS);
                })
                .enable_all()
                .build()?;
            *runtime = Some(built);
        }
        Ok(())
    }

    /// Runs something on its threads for as long as they are.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &*self.runtime.lock() {
            runtime.spawn(work);
        }
    }

    /// It is this service's turn.
    pub(super) fn deliver(&self) {
        self.delivers.store(true, Ordering::Relaxed);
    }

    /// Puts a subscription to work; nothing if none are at work here.
    pub(super) fn launch(
        &self,
        shared: &Arc<Shared>,
        settings: &Settings,
        subscription: Subscription,
        stamp: i64,
    ) {
        let runtime = self.runtime.lock();
        let Some(runtime) = runtime.as_ref().filter(|_| self.delivers.load(Ordering::Relaxed)) else {
            return;
        };
        let id = subscription.id;
        let mut workers = self.workers.lock();
        let seen = workers.get(&id).map_or_else(Arc::default, |handle| Arc::clone(&handle.seen));
        let (stop, stopping) = watch::channel(false);
        let again = Arc::new(Notify::new());
        let work = Work {
            shared: Arc::clone(shared),
            settings: settings.clone(),
            subscription: subscription.clone(),
            seen: Arc::clone(&seen),
            signals: Signals { stop: stopping, again: Arc::clone(&again) },
        };
        let task = Some(runtime.spawn(work.run()));
        workers.insert(id, Handle { subscription, stamp, stop, again, seen, task });
    }

    /// Stops one, and waits until it has written down how far it is.
    pub(super) async fn stop(&self, id: Uuid) {
        let task = self.workers.lock().get_mut(&id).and_then(|handle| {
            handle.stop.send_replace(true);
            handle.task.take()
        });
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// Those that are at work.
    pub(super) fn at_work(&self) -> Vec<Uuid> {
        let workers = self.workers.lock();
        workers.iter().filter(|(_, handle)| handle.is_at_work()).map(|(id, _)| *id).collect()
    }

    /// Is this one at work, just so?
    pub(super) fn is_at_work(&self, subscription: &Subscription, stamp: i64) -> bool {
        let workers = self.workers.lock();
        workers.get(&subscription.id).is_some_and(|handle| {
            handle.is_at_work() && handle.subscription == *subscription && handle.stamp == stamp
        })
    }

    /// Forgets one that was stopped for good.
    pub(super) fn forget(&self, id: Uuid) {
        self.workers.lock().remove(&id);
    }

    /// Something was parked to be sent again.
    pub(super) fn again(&self, id: Uuid) {
        if let Some(handle) = self.workers.lock().get(&id) {
            handle.again.notify_one();
        }
    }

    /// How one does; none if it is not at work.
    pub(super) fn now(&self, id: Uuid) -> Option<Now> {
        let workers = self.workers.lock();
        let handle = workers.get(&id)?;
        handle.is_at_work().then(|| handle.seen.now())
    }

    /// Events delivered and attempts that failed, over all.
    pub(super) fn totals(&self) -> (u64, u64) {
        let each = self.workers.lock().values().map(|handle| handle.seen.counts()).collect::<Vec<_>>();
        each.into_iter().fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1))
    }

    /// Remembers an attempt that no worker made.
    pub(super) fn remember(&self, id: Uuid, tried: Tried) {
        if let Some(handle) = self.workers.lock().get(&id) {
            handle.seen.update(|seen| seen.remember(tried));
        }
    }

    /// Stops all; none is put to work again before it is this service's turn.
    pub(super) async fn stop_all(&self) {
        self.delivers.store(false, Ordering::Relaxed);
        let ids: Vec<Uuid> = self.workers.lock().keys().copied().collect();
        for id in &ids {
            if let Some(handle) = self.workers.lock().get(id) {
                handle.stop.send_replace(true);
            }
        }
        for id in ids {
            self.stop(id).await;
        }
    }

    /// Stops all, and ends the threads.
    pub(super) async fn close(&self) {
        self.stop_all().await;
        self.let_go();
    }

    /// Ends the threads, whatever they do.
    pub(super) fn let_go(&self) {
        // A runtime cannot be waited for on another one's threads.
        if let Some(runtime) = self.runtime.lock().take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.let_go();
    }
}

impl Handle {
    fn is_at_work(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

struct Work {
    shared: Arc<Shared>,
    settings: Settings,
    subscription: Subscription,
    seen: Arc<Seen>,
    signals: Signals,
}

impl Work {
    async fn run(mut self) {
        let name = self.subscription.name.clone();
        let worker = loop {
            match self.worker().await {
                Ok(worker) => break worker,
                Err(error) => {
                    tracing::warn!(subscription = %name, error, "events cannot be delivered; it is tried again");
                }
            }
            tokio::select! {
                _ = self.signals.stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(REOPEN) => {}
            }
        };
        let (shared, subscription) = (Arc::clone(&self.shared), self.subscription);
        if let Ended::Disable(why) = worker.run(self.signals).await {
            disable(&shared, subscription.id, why).await;
        }
    }

    async fn worker(&self) -> Result<Worker, String> {
        let sink = open(&self.shared, &self.settings, &self.subscription).await?;
        let (shared, seen) = (Arc::clone(&self.shared), Arc::clone(&self.seen));
        let worker = Worker::new(shared, self.subscription.clone(), sink, seen).await;
        worker.map_err(|error| error.to_string())
    }
}

/// The place that a subscription's events go to.
pub(super) async fn open(
    shared: &Shared,
    settings: &Settings,
    subscription: &Subscription,
) -> Result<Arc<dyn Sink>, String> {
    match subscription.sink {
        SinkKind::Webhook => {
            let url = address::parse(&subscription.target).map_err(|error| error.to_string())?;
            let now_us = SystemClock::new().wall();
            let secrets = rows::secrets(&shared.database, subscription.id, now_us).await;
            let secrets = secrets.map_err(|error| error.to_string())?;
            let sink = Webhook::new(url, &settings.webhook_allow, secrets);
            sink.map(|sink| Arc::new(sink) as Arc<dyn Sink>).map_err(|error| error.to_string())
        }
        SinkKind::File => {
            let bytes_max = settings.file.as_ref().map_or(u64::MAX, |file| file.bytes_max);
            let path = Path::new(&subscription.target);
            let sink =
                Lines::open(path, bytes_max).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Arc::new(sink))
        }
        SinkKind::Nats => {
            let broker = settings.nats.clone().ok_or_else(not_named)?;
            Ok(Arc::new(Nats::new(broker)))
        }
        SinkKind::RabbitMq => {
            let broker = settings.rabbitmq.clone().ok_or_else(not_named)?;
            Ok(Arc::new(RabbitMq::new(broker)))
        }
    }
}

fn not_named() -> String {
    "the settings name no such broker any more".to_owned()
}

/// Ends a subscription that nobody listens to, in the outbox's own name.
async fn disable(shared: &Shared, id: Uuid, why: String) {
    tracing::warn!(subscription = %id, why, "a subscription is disabled");
    let at_us = SystemClock::new().wall();
    let done = async {
        let Some(mut subscription) = rows::one(&shared.database, id).await? else { return Ok(()) };
        subscription.disabled = Some(Disabled { at_us, why });
        let mut change = shared.database.begin(&subsystem(), at_us).await?;
        rows::update(&mut change, &subscription).await.map_err(|e| shared.database.fault(e))?;
        change.commit().await
    };
    if let Err(error) = done.await {
        tracing::warn!(%error, "that a subscription is disabled was not written; the next start tries it again");
    }
}
