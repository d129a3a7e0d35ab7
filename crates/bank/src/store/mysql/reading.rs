//! The reading side: history out of the tables, on connections of its own.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Account, AccountId, Digest, Event, Sequence, State};
use sqlx::Row;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions, MySqlRow};
use tokio::runtime::{Handle, Runtime};

use super::breaks::Breaks;
use super::failure::OpenError;
use super::follow::{self, Failure};
use super::session::{self, Settings, sql};
use super::{Shared, hex, snapshots};
use crate::books::Facts;
use crate::books::history::{Place, Step};
use crate::sequencer::{Fault, Prior};
use crate::store::reads::fold_up_to;
use crate::store::{Head, Reads, Trail, Watch};

/// Steps of an account's history that are read in one go: few at first, since one may be enough.
const FIRST_STEPS: u64 = 64;
/// And more for who goes on.
const MOST_STEPS: u64 = 1_024;

/// History in a database.
pub struct Reading {
    runtime: Option<Runtime>,
    handle: Handle,
    pool: MySqlPool,
    breaks: Breaks,
    patience: Duration,
    shared: Arc<Shared>,
    watch: Watch,
    /// One fold at a time: each needs the memory of the whole books.
    folding: parking_lot::Mutex<()>,
}

impl Reading {
    pub(super) fn open(settings: &Settings, shared: Arc<Shared>) -> Result<Reading, OpenError> {
        let options = settings.options()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("mysql-reads")
            .enable_all()
            .build()
            .map_err(OpenError::Thread)?;
        let guard = runtime.enter();
        let pool = MySqlPoolOptions::new()
            .max_connections(settings.readers)
            .acquire_timeout(settings.patience)
            .after_connect(|connection, _| Box::pin(session::prepare(connection)))
            .connect_lazy_with(options);
        drop(guard);
        let watch = shared.durable.subscribe();
        let handle = runtime.handle().clone();
        let breaks = Breaks::new(handle.clone(), pool.clone(), settings.patience);
        Ok(Reading {
            runtime: Some(runtime),
            handle,
            pool,
            breaks,
            patience: settings.patience,
            shared,
            watch,
            folding: parking_lot::Mutex::new(()),
        })
    }

    /// Asks, and waits for the answer on the caller's own thread: histories are read on threads that may wait.
    fn ask<T: Send + 'static>(
        &self,
        question: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Fault> {
        let patience = self.patience;
        let (told, answer) = std::sync::mpsc::sync_channel(1);
        self.handle.spawn(async move {
            let answer = tokio::time::timeout(patience, question).await;
            let answer = answer.unwrap_or_else(|_| Err(Failure::Sql(session::silence(patience))));
            let _ = told.send(answer);
        });
        answer.recv().map_err(|_| Fault::Stopped)?.map_err(|failure| failure.fault())
    }

    /// The steps of an account from this version down, so many at most.
    fn steps(&self, id: AccountId, version: u64, count: u64) -> Result<Vec<Step>, Fault> {
        let pool = self.pool.clone();
        let lowest = version.saturating_sub(count - 1).max(1);
        let range = format!("at.account_id={} AND at.version BETWEEN {lowest} AND {version}", id.0);
        let events = self.ask(async move {
            // Where an account had entries, and where it had none: each by the index of its own table.
            let rows = sql(format!(
                "SELECT e.sequence, e.record FROM ledger_entries AS at STRAIGHT_JOIN events AS e \
                     ON e.sequence = at.transaction_id WHERE {range}; \
                 SELECT e.sequence, e.record FROM account_events AS at STRAIGHT_JOIN events AS e \
                     ON e.sequence = at.sequence WHERE {range}"
            ))
            .fetch_all(&pool)
            .await?;
            let events: Result<Vec<Event>, Failure> = rows.into_iter().map(decoded).collect();
            let mut events = events?;
            events.sort_unstable_by_key(|event| std::cmp::Reverse(event.sequence));
            // An event may have several entries on an account.
            events.dedup_by_key(|event| event.sequence);
            Ok(events)
        })?;
        events.into_iter().map(|event| Step::of(event, id)).collect()
    }

    /// The books at the newest snapshot at or before a sequence.
    fn snapshot(&self, at: u64) -> Result<Option<State>, Fault> {
        let pool = self.pool.clone();
        let found = self.ask(async move { snapshots::find(&mut *pool.acquire().await?, at).await })?;
        Ok(found.and_then(|found| {
            let sequence = found.head.sequence;
            found.load(|number| {
                let pool = self.pool.clone();
                self.ask(async move { snapshots::part(&mut *pool.acquire().await?, sequence, number).await })
                    .ok()
                    .flatten()
            })
        }))
    }

    fn events(&self, first: u64, last: u64) -> Result<Vec<Event>, Fault> {
        let pool = self.pool.clone();
        self.ask(async move {
            let rows = sql(format!(
                "SELECT sequence, record FROM events WHERE sequence BETWEEN {first} AND {last} ORDER BY sequence"
            ))
            .fetch_all(&pool)
            .await?;
            rows.into_iter().map(decoded).collect()
        })
    }
}

fn decoded(row: MySqlRow) -> Result<Event, Failure> {
    follow::event(row.try_get(1)?, row.try_get(0)?)
}

impl Drop for Reading {
    fn drop(&mut self) {
        // May be dropped on a thread that drives futures, which must not wait for others.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Reads for Reading {
    /// Claims are looked up by the rules thread, under the same locks as everything else.
    fn prepare(&self, _digests: &[Digest]) -> Result<Prior, Fault> {
        Ok(Prior::default())
    }

    fn facts(&self, id: AccountId) -> Option<Facts> {
        self.shared.facts.get(id)
    }

    fn head(&self) -> Head {
        let head = *self.shared.head.borrow();
        Head { sequence: Sequence(head.sequence), hash: head.hash }
    }

    fn watch(&self) -> Watch {
        self.watch.clone()
    }

    fn event(&self, sequence: Sequence) -> Result<Option<Event>, Fault> {
        if sequence.0 == 0 || sequence > self.head().sequence {
            return Ok(None);
        }
        Ok(self.events(sequence.0, sequence.0)?.pop())
    }

    fn scan(&self, from: Sequence, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), Fault> {
        let (mut next, last) = (from.0.max(1), self.head().sequence.0);
        while next <= last {
            let end = last.min(next + follow::PAGE - 1);
            let page = self.events(next, end)?;
            if page.len() as u64 != end - next + 1 {
                return Err(Fault::Unreadable(format!("events are missing between {next} and {end}")));
            }
            for event in page {
                if each(event).is_break() {
                    return Ok(());
                }
            }
            next = end + 1;
        }
        Ok(())
    }

    fn seek(&self, id: AccountId, account: &Account, place: Place) -> Result<Option<Step>, Fault> {
        if let Place::Version(version) = place {
            return Ok(self.steps(id, version.min(account.version), 1)?.pop());
        }
        // Versions count without gaps: halving finds the place.
        let (mut yes, mut no) = (None, account.version + 1);
        let mut lowest = 0;
        while no - lowest > 1 {
            let middle = lowest + (no - lowest) / 2;
            let step = self.steps(id, middle, 1)?.pop();
            let step = step
                .ok_or_else(|| Fault::Unreadable(format!("version {middle} of account {id} is not there")))?;
            if place.covers(&step) {
                (lowest, yes) = (middle, Some(step));
            } else {
                no = middle;
            }
        }
        Ok(yes)
    }

    fn trail<'a>(&'a self, id: AccountId, account: &'a Account, version: u64) -> Trail<'a> {
        let mut next = version.min(account.version);
        let mut some = Vec::new().into_iter();
        let mut count = FIRST_STEPS;
        Box::new(std::iter::from_fn(move || {
            if some.len() == 0 {
                if next == 0 {
                    return None;
                }
                match self.steps(id, next, count) {
                    Ok(steps) => some = steps.into_iter(),
                    Err(fault) => {
                        next = 0;
                        return Some(Err(fault));
                    }
                }
                next = next.saturating_sub(count);
                count = (count * 4).min(MOST_STEPS);
            }
            some.next().map(Ok)
        }))
    }

    fn by_reference(&self, reference: &str, before: Sequence, limit: usize) -> Result<Vec<Sequence>, Fault> {
        let pool = self.pool.clone();
        let before = before.0.min(self.head().sequence.0 + 1);
        let mut text = String::from("SELECT id FROM transactions WHERE reference_digest=");
        hex::push(&mut text, &Digest::of_reference(reference).0);
        text.push_str(&format!(" AND id<{before} ORDER BY id DESC LIMIT {limit}"));
        self.ask(async move {
            let rows = sql(text).fetch_all(&pool).await?;
            Ok(rows.iter().map(|row| row.try_get(0).map(Sequence)).collect::<Result<_, _>>()?)
        })
    }

    fn state_at(&self, sequence: Sequence) -> Result<State, Fault> {
        self.head().reaches(sequence)?;
        let _one = self.folding.try_lock().ok_or(Fault::Overloaded)?;
        let state = self.snapshot(sequence.0)?.unwrap_or_default();
        fold_up_to(self, state, sequence)
    }

    fn breaks(&self) -> Option<&Breaks> {
        Some(&self.breaks)
    }

    fn figures(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("bankcore_mysql_connections", f64::from(self.pool.size())),
            ("bankcore_mysql_idle_connections", self.pool.num_idle() as f64),
        ]
    }
}
