//! Snapshots: the state at a sequence, so that a start need not replay everything.
//!
//! The live state is never copied or paused. When enough has happened, a thread of low priority reads the last
//! snapshot back, folds the events since then onto it, and writes the next one.

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

/// Makes snapshots: from the last one, by folding what came after it onto a second state.
pub(super) struct Shadow<D: Disk> {
    pub(super) disk: D,
    pub(super) dir: std::path::PathBuf,
    pub(super) reader: Reader<D>,
    /// The sequence of the last snapshot; 0 for none.
    pub(super) saved: u64,
    pub(super) every: u64,
    pub(super) fold: Option<Fold>,
}

/// A second state on its way to where the next snapshot will stand. It is there only while it is needed:
/// between snapshots it would cost as much memory as the books.
pub(super) struct Fold {
    state: State,
    goal: Head,
}

/// Events folded between two looks at the stop flag.
const STEP: u64 = 65_536;

impl<D: Disk> Shadow<D> {
    /// Events since the last snapshot: what a start would fold now.
    pub(super) fn behind(&self) -> u64 {
        self.reader.durable() - self.saved
    }

    /// Folds a stretch of what has become durable, and writes a snapshot once it stands where it was bound.
    /// False if there was nothing to do.
    ///
    /// # Errors
    /// A text: the journal could not be read, or the snapshot not written. Nothing is lost by that.
    pub(super) fn step(&mut self) -> Result<bool, String> {
        // A snapshot stands for a head whose hash is known, so the goal is set first and then walked to.
        let goal = self.reader.head();
        if self.fold.is_none() && goal.sequence - self.saved < self.every {
            return Ok(false);
        }
        let mut fold = match self.fold.take() {
            Some(fold) => fold,
            None => Fold { state: load(&self.disk, &self.dir, self.saved + 1).0, goal },
        };
        self.advance(&mut fold)?;
        if fold.state.head().0 == fold.goal.sequence {
            self.write(&fold.state, fold.goal)?;
        } else {
            self.fold = Some(fold);
        }
        Ok(true)
    }

    fn advance(&self, fold: &mut Fold) -> Result<(), String> {
        let state = &mut fold.state;
        let until = fold.goal.sequence.min(state.head().0 + STEP);
        let mut scan = self.reader.scan_aside(state.head().0 + 1);
        let mut events = Vec::with_capacity(TOGETHER);
        while state.head().0 < until {
            while events.len() < TOGETHER && state.head().0 + (events.len() as u64) < until {
                let record =
                    scan.advance().map_err(|error| error.to_string())?.ok_or("the journal ends early")?;
                events.push(codec::decode(record.bytes()).map_err(|error| error.to_string())?);
            }
            apply_all(state, &mut events);
        }
        Ok(())
    }

    fn write(&mut self, state: &State, head: Head) -> Result<(), String> {
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
