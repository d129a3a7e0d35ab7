//! How far the journal is durable: the one number that everything visible stops at.
//!
//! The writer moves it after each sync, never before; reading it costs one atomic load. A poisoned journal's watermark
//! stands still for ever.

use crate::chain::Head;
use parking_lot::{Condvar, Mutex, RwLock};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

type Listener = Box<dyn Fn(u64) + Send + Sync>;

pub(crate) struct Watermark {
    durable: AtomicU64,
    poisoned: AtomicBool,
    state: Mutex<State>,
    moved: Condvar,
    listeners: RwLock<Vec<Listener>>,
}

struct State {
    head: Head,
    cause: Option<String>,
}

impl Watermark {
    pub fn new(head: Head) -> Self {
        Self {
            durable: AtomicU64::new(head.sequence),
            poisoned: AtomicBool::new(false),
            state: Mutex::new(State { head, cause: None }),
            moved: Condvar::new(),
            listeners: RwLock::new(Vec::new()),
        }
    }

    pub fn sequence(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub fn head(&self) -> Head {
        self.state.lock().head
    }

    pub fn advance(&self, head: Head) {
        let mut state = self.state.lock();
        state.head = head;
        self.durable.store(head.sequence, Ordering::Release);
        drop(state);
        self.moved.notify_all();
        for listener in self.listeners.read().iter() {
            listener(head.sequence);
        }
    }

    /// Keeps the first cause.
    pub fn poison(&self, cause: &str) {
        let mut state = self.state.lock();
        state.cause.get_or_insert_with(|| cause.to_owned());
        self.poisoned.store(true, Ordering::Release);
        drop(state);
        self.moved.notify_all();
    }

    pub fn poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    pub fn cause(&self) -> Option<String> {
        self.state.lock().cause.clone()
    }

    pub fn listen(&self, listener: Listener) {
        self.listeners.write().push(listener);
    }

    pub fn wait(&self, beyond: u64, at_most: Duration) -> u64 {
        let deadline = Instant::now() + at_most;
        let mut state = self.state.lock();
        while state.head.sequence <= beyond && state.cause.is_none() {
            if self.moved.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.head.sequence
    }
}
