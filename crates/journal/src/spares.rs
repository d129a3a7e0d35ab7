//! Segments made ahead of the writer, and the answer to "is there room?".
//!
//! A thread keeps a few filled segments ready, so a roll on the writer's path costs a look into a map. It also writes
//! sidecars of sealed segments. If it lags, the writer waits; if it cannot make a segment (no space, or the reserve would
//! be touched), it tries again each second, and [`Capacity`] turns new work away while there is still room for what is
//! already on its way. So a full disk is an answer, never a failed write.
//!
//! Spares are the next numbers, nothing more: after a restart they are found again by name.

use crate::disk::Disk;
use crate::error::Full;
use crate::identity::Identity;
use crate::index::SegmentIndex;
use crate::layout::FIRST_FRAME;
use crate::options::{FRAMES_AHEAD, Options};
use crate::segment::{self, SegmentHeader};
use crate::sidecar;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const RETRY: Duration = Duration::from_secs(1);

/// A filled segment that nothing was written to yet.
pub(crate) struct Spare<F> {
    pub file: Arc<F>,
    pub bytes: u64,
}

pub(crate) struct Pool<D: Disk> {
    disk: D,
    journal: PathBuf,
    identity: Identity,
    options: Options,
    state: Mutex<State<D::File>>,
    changed: Condvar,
    room: Arc<Room>,
    /// Held as long as someone may write.
    _lock: D::File,
}

struct State<F> {
    current: u64,
    rest: u64,
    ready: BTreeMap<u64, Spare<F>>,
    stuck: Option<Full>,
    sealed: Vec<Arc<SegmentIndex>>,
    threaded: bool,
    stop: bool,
}

#[derive(Debug, Default)]
struct Room {
    full: AtomicBool,
    why: Mutex<Option<Full>>,
}

/// Whether new work may be accepted. Cheap; any number of clones, on any thread.
#[derive(Clone, Debug)]
pub struct Capacity(Arc<Room>);

impl Capacity {
    /// `Full` while the prepared segments could not take three more of the largest frames (one being written, one
    /// waiting, one being decided) and no further segment can be made.
    pub fn ready(&self) -> Result<(), Full> {
        if !self.0.full.load(Ordering::Acquire) {
            return Ok(());
        }
        self.0.why.lock().map_or(Ok(()), Err)
    }
}

impl<D: Disk> Pool<D> {
    pub fn new(
        (disk, journal, lock): (D, PathBuf, D::File),
        identity: Identity,
        options: Options,
        (current, rest): (u64, u64),
        ready: BTreeMap<u64, Spare<D::File>>,
        sealed: Vec<Arc<SegmentIndex>>,
    ) -> Self {
        let state = State { current, rest, ready, stuck: None, sealed, threaded: false, stop: false };
        let (changed, room) = (Condvar::new(), Arc::default());
        Self { disk, journal, identity, options, state: Mutex::new(state), changed, room, _lock: lock }
    }

    pub fn capacity(&self) -> Capacity {
        Capacity(Arc::clone(&self.room))
    }

    /// The spare of that number, which is the one after the current segment. Waits for one that is being made; `Full`
    /// if none can be.
    pub fn take(&self, number: u64) -> Result<Spare<D::File>, Full> {
        let mut state = self.state.lock();
        loop {
            if let Some(spare) = state.ready.remove(&number) {
                state.current = number;
                state.rest = spare.bytes - FIRST_FRAME;
                self.look(&state);
                drop(state);
                self.changed.notify_all();
                return Ok(spare);
            }
            if !state.threaded {
                let wanted = state.ready.len() + 1;
                self.refill(&mut state, wanted);
            }
            if !state.ready.contains_key(&number) {
                if let Some(why) = state.stuck {
                    self.look(&state);
                    return Err(why);
                }
                self.changed.wait_for(&mut state, RETRY);
            }
        }
    }

    /// Notes how many bytes of the current segment are left.
    pub fn note_rest(&self, rest: u64) {
        let mut state = self.state.lock();
        state.rest = rest;
        self.look(&state);
    }

    /// A segment that gets no more frames: its sidecar can be written.
    pub fn seal(&self, segment: Arc<SegmentIndex>) {
        self.state.lock().sealed.push(segment);
        self.changed.notify_all();
    }

    /// Makes one spare even if that touches the reserve: a start on a full disk needs one block to confirm the tail.
    pub fn make_anyway(&self, number: u64) -> io::Result<()> {
        let spare = self.make(number)?;
        self.state.lock().ready.insert(number, spare);
        Ok(())
    }

    /// Does now what the thread would do; without one, the only way that it is done.
    pub fn maintain(&self) {
        let mut state = self.state.lock();
        if state.threaded {
            return;
        }
        while let Some(segment) = state.sealed.pop() {
            self.settle(&segment);
        }
        self.refill(&mut state, self.options.spare_segments);
    }

    /// Whether the work is done inline.
    pub fn inline(&self) -> bool {
        !self.state.lock().threaded
    }

    /// Numbers and bytes of the spares.
    pub fn spares(&self) -> Vec<(u64, u64)> {
        self.state.lock().ready.iter().map(|(number, spare)| (*number, spare.bytes)).collect()
    }

    fn refill(&self, state: &mut State<D::File>, wanted: usize) {
        while state.ready.len() < wanted {
            let number = next_number(state);
            match self.check_space().and_then(|()| self.make(number).map_err(|error| refused(number, &error)))
            {
                Ok(spare) => {
                    state.ready.insert(number, spare);
                    state.stuck = None;
                }
                Err(why) => {
                    state.stuck = Some(why);
                    break;
                }
            }
        }
        self.look(state);
    }

    fn check_space(&self) -> Result<(), Full> {
        let free = self.disk.free_bytes(&self.journal).map_err(|error| Full::Refused(error.kind()))?;
        let needed = self.options.segment_bytes + self.options.reserve_bytes;
        if free < needed { Err(Full::Reserve { free, needed }) } else { Ok(()) }
    }

    fn make(&self, number: u64) -> io::Result<Spare<D::File>> {
        let header = SegmentHeader { identity: self.identity, number, bytes: self.options.segment_bytes };
        let file = segment::make(&self.disk, &self.journal, &header)?;
        Ok(Spare { file: Arc::new(file), bytes: header.bytes })
    }

    /// What is left to do for a segment that gets no more frames.
    fn settle(&self, segment: &SegmentIndex) {
        if let Err(error) = sidecar::write(&self.disk, &self.journal, &self.identity, segment) {
            tracing::warn!(segment = segment.number, %error, "no sidecar; the next start reads the segment instead");
        }
    }

    /// Brings [`Capacity`] up to date.
    fn look(&self, state: &State<D::File>) {
        let spare: u64 =
            state.ready.values().map(|spare| self.options.frames_in(spare.bytes - FIRST_FRAME)).sum();
        let full = self.options.frames_in(state.rest) + spare < FRAMES_AHEAD && state.stuck.is_some();
        if full != self.room.full.load(Ordering::Acquire) {
            *self.room.why.lock() = state.stuck;
            self.room.full.store(full, Ordering::Release);
            match state.stuck {
                Some(why) if full => tracing::error!(%why, "no room for new work"),
                _ => tracing::info!("room for new work again"),
            }
        }
    }

    fn run(&self) {
        let mut state = self.state.lock();
        while !state.stop {
            if state.ready.len() < self.options.spare_segments {
                let number = next_number(&state);
                let made = MutexGuard::unlocked(&mut state, || {
                    self.check_space()?;
                    self.make(number).map_err(|error| refused(number, &error))
                });
                match made {
                    Ok(spare) => {
                        state.ready.insert(number, spare);
                        state.stuck = None;
                    }
                    Err(why) => state.stuck = Some(why),
                }
                self.look(&state);
                self.changed.notify_all();
                if state.stuck.is_none() {
                    continue;
                }
            }
            if let Some(segment) = state.sealed.pop() {
                MutexGuard::unlocked(&mut state, || self.settle(&segment));
                continue;
            }
            if state.stuck.is_some() {
                self.changed.wait_for(&mut state, RETRY);
            } else {
                self.changed.wait(&mut state);
            }
        }
    }
}

fn refused(number: u64, error: &io::Error) -> Full {
    tracing::warn!(number, %error, "cannot make a segment; trying again");
    Full::Refused(error.kind())
}

/// The lowest number after the current segment that has no spare.
fn next_number<F>(state: &State<F>) -> u64 {
    let mut number = state.current + 1;
    while state.ready.contains_key(&number) {
        number += 1;
    }
    number
}

/// Owns the thread that makes segments and sidecars. Dropping it ends the thread; the journal goes on without,
/// doing the work inline.
pub struct Background {
    /// Tells the thread to stop (`true`), then that it has (`false`): two threads must never make the same segment.
    end: Box<dyn Fn(bool) + Send + Sync>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(crate) fn start<D: Disk>(pool: &Arc<Pool<D>>) -> io::Result<Self> {
        let thread = if pool.options.background {
            pool.state.lock().threaded = true;
            let pool = Arc::clone(pool);
            Some(std::thread::Builder::new().name("journal-spares".into()).spawn(move || pool.run())?)
        } else {
            None
        };
        let pool = Arc::clone(pool);
        let end = move |running| {
            let mut state = pool.state.lock();
            state.stop = true;
            state.threaded &= running;
            pool.changed.notify_all();
        };
        Ok(Self { end: Box::new(end), thread })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        (self.end)(true);
        if let Some(thread) = self.thread.take() {
            // The thread ends by itself; if it panicked, its message was already shown.
            let _ = thread.join();
        }
        (self.end)(false);
    }
}
