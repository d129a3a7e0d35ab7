//! Snapshots beside the events: the books at a sequence, in the same bytes as a journal's, so that a start folds only
//! what came after.
//!
//! One service at a time makes them, on a thread of its own with a connection of its own, by folding what came after
//! the last one onto a second state. A snapshot is believed as far as its digest goes, and its head as far as the chain
//! from there comes out at the head of the books; one of which neither holds is passed over. Its row is written after
//! its parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use journal::Head;
use ledger::codec::state::NotASnapshot;
use ledger::{Sequence, State};
use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::mysql::MySqlConnection;
use tokio::runtime::Runtime;

use super::failure::OpenError;
use super::follow::{self, Failure};
use super::session::{self, Settings, silence, sql};
use super::{Shared, hex};

/// Bytes of a part.
const PART: usize = 1 << 20;
/// Snapshots that are kept.
const KEPT: usize = 2;
/// How often is looked whether the next one is due.
const LOOK: Duration = Duration::from_secs(1);
/// The pause after one that could not be made.
const PAUSE: Duration = Duration::from_secs(10);

/// A snapshot that is there, before its parts are read.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) head: Head,
    parts: u32,
    digest: [u8; 32],
}

/// The newest at or below a sequence.
pub(super) async fn find(connection: &mut MySqlConnection, at: u64) -> Result<Option<Found>, Failure> {
    let question = format!(
        "SELECT sequence, hash, parts, digest FROM snapshots WHERE sequence <= {at} ORDER BY sequence DESC LIMIT 1"
    );
    let Some(row) = sql(question).fetch_optional(connection).await? else { return Ok(None) };
    let head = Head { sequence: row.try_get(0)?, hash: follow::bytes(&row, 1)? };
    Ok(Some(Found { head, parts: row.try_get(2)?, digest: follow::bytes(&row, 3)? }))
}

/// One part of its bytes; none if it is not there.
pub(super) async fn part(
    connection: &mut MySqlConnection,
    sequence: u64,
    part: u32,
) -> Result<Option<Vec<u8>>, Failure> {
    let question = format!("SELECT bytes FROM snapshot_parts WHERE sequence = {sequence} AND part = {part}");
    let row = sql(question).fetch_optional(connection).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

impl Found {
    /// Reads the books from its parts; none if they are not what its row says.
    pub(super) fn load(&self, mut part: impl FnMut(u32) -> Option<Vec<u8>>) -> Option<State> {
        let (mut hash, mut next) = (Sha256::new(), 0);
        let mut rest: (Vec<u8>, usize) = (Vec::new(), 0);
        let mut more = |rest: &mut (Vec<u8>, usize)| {
            let bytes = part(next).filter(|bytes| next < self.parts && !bytes.is_empty());
            *rest = (bytes.ok_or(NotASnapshot)?, 0);
            hash.update(&rest.0);
            next += 1;
            Ok(())
        };
        let state = State::load(&mut |wanted| {
            let mut filled = 0;
            while filled < wanted.len() {
                if rest.1 == rest.0.len() {
                    more(&mut rest)?;
                }
                let some = (wanted.len() - filled).min(rest.0.len() - rest.1);
                wanted[filled..filled + some].copy_from_slice(&rest.0[rest.1..rest.1 + some]);
                (filled, rest.1) = (filled + some, rest.1 + some);
            }
            Ok(())
        });
        let whole = rest.1 == rest.0.len() && next == self.parts && hash.finalize()[..] == self.digest;
        let state = state.ok().filter(|state| whole && state.head() == Sequence(self.head.sequence));
        if state.is_none() {
            tracing::warn!(
                sequence = self.head.sequence,
                "a snapshot cannot be used; events are folded instead"
            );
        }
        state
    }
}

/// The thread that makes snapshots. Dropping it ends the thread.
pub struct Snapshots {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Snapshots {
    pub(super) fn start(settings: &Settings, shared: Arc<Shared>) -> Result<Snapshots, OpenError> {
        let stop = Arc::new(AtomicBool::new(false));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(OpenError::Thread)?;
        let mut maker =
            Maker { settings: settings.clone(), shared, stop: Arc::clone(&stop), runtime, saved: None };
        let work = move || maker.run();
        let thread =
            std::thread::Builder::new().name("snapshots".into()).spawn(work).map_err(OpenError::Thread)?;
        Ok(Snapshots { stop, thread: Some(thread) })
    }
}

impl Drop for Snapshots {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It looks at the flag between two questions, and each of those has an end.
            let _ = thread.join();
        }
    }
}

struct Maker {
    settings: Settings,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    runtime: Runtime,
    /// The sequence of the newest one, once it was asked for.
    saved: Option<u64>,
}

impl Maker {
    fn run(&mut self) {
        // On Linux this is the thread's own niceness: a snapshot may wait, payments may not.
        let _ = rustix::process::nice(19);
        while !self.stops() {
            let goal = *self.shared.head.borrow();
            let due = goal.sequence >= self.saved.unwrap_or(0).saturating_add(self.settings.snapshot_every);
            let made = if due { self.make(goal) } else { Ok(()) };
            if let Err(failure) = &made {
                tracing::warn!(%failure, "no snapshot was made; the next start takes longer");
            }
            std::thread::park_timeout(if made.is_ok() { LOOK } else { PAUSE });
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Makes one that stands for this head, if no other service has, or is at it.
    fn make(&mut self, goal: Head) -> Result<(), Failure> {
        let mut connection = self.connect()?;
        let name = "LEFT(CONCAT('bankcore snapshots ', DATABASE()), 64)";
        let asked = self.ask(
            sqlx::query_scalar::<_, Option<i64>>(sqlx::AssertSqlSafe(format!("SELECT GET_LOCK({name}, 0)")))
                .fetch_one(&mut connection),
        )?;
        if asked != Some(1) {
            return Ok(());
        }
        let found = self.within(find(&mut connection, goal.sequence))?;
        self.saved = Some(found.as_ref().map_or(0, |found| found.head.sequence));
        if goal.sequence < self.saved.unwrap_or(0).saturating_add(self.settings.snapshot_every) {
            return Ok(());
        }
        let loaded = found.and_then(|found| {
            let state = found.load(|number| {
                self.within(part(&mut connection, found.head.sequence, number)).ok().flatten()
            });
            state.map(|state| (state, found.head))
        });
        let (mut state, mut head) =
            loaded.unwrap_or_else(|| (State::new(), Head::start(&self.shared.identity)));
        while head.sequence < goal.sequence {
            if self.stops() {
                return Ok(());
            }
            let (page, next) = self.within(follow::page(&mut connection, head, goal))?;
            follow::fold(&mut state, &page)?;
            head = next;
        }
        self.write(&mut connection, &state, head)?;
        self.saved = Some(head.sequence);
        Ok(())
    }

    fn connect(&self) -> Result<MySqlConnection, Failure> {
        let options = self.settings.options().map_err(|error| Failure::Damaged(error.to_string()))?;
        Ok(self.runtime.block_on(session::connect(&options, self.settings.patience))?)
    }

    fn within<T>(&self, question: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let patience = self.settings.patience;
        self.runtime.block_on(async {
            let asked = tokio::time::timeout(patience, question).await;
            asked.unwrap_or_else(|_| Err(Failure::Sql(silence(patience))))
        })
    }

    fn ask<T>(&self, question: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        self.within(async { Ok(question.await?) })
    }

    fn write(&self, connection: &mut MySqlConnection, state: &State, head: Head) -> Result<(), Failure> {
        let sequence = head.sequence;
        // What an attempt that broke off has left.
        self.ask(
            sql(format!("DELETE FROM snapshot_parts WHERE sequence = {sequence}")).execute(&mut *connection),
        )?;
        let (mut hash, mut parts, mut open) = (Sha256::new(), 0u32, Vec::with_capacity(PART));
        let mut done = Ok(());
        let mut put = |bytes: &[u8]| -> Result<(), Failure> {
            let mut text =
                format!("INSERT INTO snapshot_parts (sequence,part,bytes) VALUES ({sequence},{parts},");
            hex::push(&mut text, bytes);
            text.push(')');
            hash.update(bytes);
            parts += 1;
            self.ask(sql(text).execute(&mut *connection)).map(|_| ())
        };
        state.save(&mut |bytes| {
            if done.is_err() {
                return;
            }
            open.extend_from_slice(bytes);
            if open.len() >= PART {
                done = put(&open);
                open.clear();
            }
        });
        done?;
        if !open.is_empty() {
            put(&open)?;
        }
        let mut text =
            format!("INSERT INTO snapshots (sequence,parts,made_us,hash,digest) VALUES ({sequence},{parts},");
        text.push_str("CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED),");
        hex::push(&mut text, &head.hash);
        text.push(',');
        hex::push(&mut text, &hash.finalize());
        text.push(')');
        self.ask(sql(text).execute(&mut *connection))?;
        self.prune(connection)
    }

    /// Takes old ones away, and parts without a row.
    fn prune(&self, connection: &mut MySqlConnection) -> Result<(), Failure> {
        let kept = "SELECT sequence FROM snapshots ORDER BY sequence DESC LIMIT ";
        let rows = self.ask(sql(format!("{kept}{KEPT}")).fetch_all(&mut *connection))?;
        let kept: Vec<u64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let list = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        for table in ["snapshots", "snapshot_parts"] {
            let old = format!("DELETE FROM {table} WHERE sequence NOT IN ({list})");
            self.ask(sql(old).execute(&mut *connection))?;
        }
        Ok(())
    }
}
