//! Snapshots: the state at a sequence, so that a start need not replay everything.
//!
//! The live state is never copied or paused. A thread of low priority keeps a second state, folds durable
//! events onto it, and writes it out now and then.

use std::io::Read;
use std::path::Path;

use journal::disk::Disk;
use journal::{Head, Reader, Snapshots};
use ledger::codec::{self, state::NotASnapshot};
use ledger::{Sequence, State};

use super::replay::{TOGETHER, apply_all};

/// The newest usable snapshot below a sequence: its state, and the head that it stands for.
pub(super) fn load<D: Disk>(disk: &D, dir: &Path, below: u64) -> (State, Option<Head>) {
    let mut below = below;
    loop {
        let Ok(Some(mut snapshot)) = Snapshots::newest_valid_below(disk, dir, below) else {
            return (State::new(), None);
        };
        let head = snapshot.head();
        let state = State::load(&mut |bytes| snapshot.read_exact(bytes).map_err(|_| NotASnapshot));
        // Reading on to the end is what checks the last chunk.
        let whole = snapshot.read(&mut [0; 1]).is_ok_and(|rest| rest == 0);
        match state {
            Ok(state) if whole && state.head() == Sequence(head.sequence) => return (state, Some(head)),
            _ => {
                tracing::warn!(sequence = head.sequence, "a snapshot cannot be used; an older one is tried");
                below = head.sequence;
            }
        }
    }
}

/// The newest snapshot at or below a sequence, for questions about the past.
pub(super) fn newest<D: Disk>(disk: &D, dir: &Path, at: u64) -> Option<State> {
    let (state, head) = load(disk, dir, at.saturating_add(1));
    head.map(|_| state)
}

/// The second state and how far it is.
pub(super) struct Shadow<D: Disk> {
    pub(super) disk: D,
    pub(super) dir: std::path::PathBuf,
    pub(super) reader: Reader<D>,
    pub(super) state: State,
    pub(super) saved: u64,
    pub(super) every: u64,
    pub(super) goal: Option<Head>,
}

/// Events folded between two looks at the stop flag.
const STEP: u64 = 65_536;

impl<D: Disk> Shadow<D> {
    /// Folds a stretch of what has become durable, and writes a snapshot once it stands where it was bound.
    /// False if there was nothing to do.
    ///
    /// # Errors
    /// A text: the journal could not be read, or the snapshot not written. Nothing is lost by that.
    pub(super) fn step(&mut self) -> Result<bool, String> {
        // A snapshot stands for a head whose hash is known, so the goal is set first and then walked to.
        let durable = self.reader.head();
        if self.goal.is_none() && durable.sequence - self.saved < self.every {
            return Ok(false);
        }
        let goal = *self.goal.get_or_insert(durable);
        let until = goal.sequence.min(self.state.head().0 + STEP);
        let mut scan = self.reader.scan(self.state.head().0 + 1);
        let mut events = Vec::with_capacity(TOGETHER);
        while self.state.head().0 < until {
            while events.len() < TOGETHER && self.state.head().0 + (events.len() as u64) < until {
                let record =
                    scan.advance().map_err(|error| error.to_string())?.ok_or("the journal ends early")?;
                events.push(codec::decode(record.bytes()).map_err(|error| error.to_string())?);
            }
            apply_all(&mut self.state, &mut events);
        }
        if until == goal.sequence {
            self.goal = None;
            self.write(goal)?;
        }
        Ok(true)
    }

    fn write(&mut self, head: Head) -> Result<(), String> {
        let state = &self.state;
        Snapshots::write(&self.disk, &self.dir, head, |out| {
            let mut result = Ok(());
            state.save(&mut |bytes| {
                if result.is_ok() {
                    result = out.write_all(bytes);
                }
            });
            result
        })
        .map_err(|error| error.to_string())?;
        self.saved = head.sequence;
        Ok(())
    }
}
