//! The threads beside the rules: the writer, the filers of keys and references, the maker of snapshots.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use journal::disk::Disk;
use journal::keys::{Filer, Shelf};
use journal::{Background as Spares, Reader};

use super::snapshots::Shadow;

/// What the background threads work on.
pub(super) struct Plan<D: Disk> {
    pub(super) disk: D,
    pub(super) dir: PathBuf,
    pub(super) reader: Reader<D>,
    pub(super) shelves: [(&'static str, Shelf); 2],
    /// The newest snapshot that is known to be of this journal; 0 for none.
    pub(super) snapshot_at: u64,
    pub(super) snapshot_every: u64,
}

impl<D: Disk> Plan<D> {
    fn into_shadow(self) -> Shadow<D> {
        let Plan { disk, dir, reader, snapshot_at: saved, snapshot_every: every, .. } = self;
        Shadow { disk, dir, reader, saved, every, fold: None }
    }
}

/// Work beside the rules that can be done a piece at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chore {
    /// File or merge claims.
    Keys,
    /// File or merge references.
    References,
    /// Fold towards the next snapshot, and write it.
    Snapshot,
}

/// Does one piece of a chore; true if there was anything to do.
type Step = Box<dyn FnMut() -> Result<bool, String> + Send + Sync>;

/// Owns the threads. Dropping it ends them; the writer ends when the rules thread's side is gone, and is
/// waited for, so that the last frame is confirmed.
pub struct Background {
    stop: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
    others: Vec<JoinHandle<()>>,
    steps: Vec<(Chore, Step)>,
    // Last: the writer may still need segments while it ends.
    _spares: Spares,
}

impl Background {
    pub(super) fn start<D: Disk>(
        plan: Plan<D>,
        spares: Spares,
        write: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<Background> {
        let stop = Arc::new(AtomicBool::new(false));
        let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(work)
        };
        let mut others = Vec::new();
        for (name, shelf) in plan.shelves.clone() {
            let filer = Filer::new(&plan.disk, &plan.dir.join(name), &shelf);
            let (reader, stop) = (plan.reader.clone(), Arc::clone(&stop));
            others.push(spawn(name, Box::new(move || filer.run(|| reader.durable(), &stop)))?);
        }
        let shadow = plan.into_shadow();
        let stopped = Arc::clone(&stop);
        others.push(spawn("snapshots", Box::new(move || make_snapshots(shadow, &stopped)))?);
        let writer = Some(spawn("writer", Box::new(write))?);
        Ok(Background { stop, writer, others, steps: Vec::new(), _spares: spares })
    }

    /// No threads: the simulator does their work in its own order, by [`Background::step`].
    pub(super) fn inline<D: Disk>(plan: Plan<D>, spares: Spares) -> Background {
        let mut steps: Vec<(Chore, Step)> = Vec::new();
        for (chore, (name, shelf)) in [Chore::Keys, Chore::References].into_iter().zip(plan.shelves.clone()) {
            let mut filer = Filer::new(&plan.disk, &plan.dir.join(name), &shelf);
            let reader = plan.reader.clone();
            let step = move || filer.step(reader.durable()).map_err(|error| error.to_string());
            steps.push((chore, Box::new(step)));
        }
        let mut shadow = plan.into_shadow();
        steps.push((Chore::Snapshot, Box::new(move || shadow.step())));
        Background { stop: Arc::default(), writer: None, others: Vec::new(), steps, _spares: spares }
    }

    /// Does one piece of a chore; false if there is nothing to do, or if a thread does it.
    ///
    /// # Errors
    /// What the disk said. Nothing is lost by it; the chore can be tried again.
    pub fn step(&mut self, chore: Chore) -> Result<bool, String> {
        match self.steps.iter_mut().find(|(kind, _)| *kind == chore) {
            Some((_, step)) => step(),
            None => Ok(false),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was reported when it happened; every caller has its fault.
            let _ = writer.join();
        }
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.others.drain(..) {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Events since the last snapshot from which on the next one is made in a hurry: what a start folds stays near this
/// (some seconds) however long the machine has been busy.
const BEHIND_MAX: u64 = 16_000_000;

fn make_snapshots<D: Disk>(mut shadow: Shadow<D>, stop: &AtomicBool) {
    let mut hurry = false;
    while !stop.load(Ordering::Relaxed) {
        hurry = hurries(shadow.behind(), hurry);
        let folded = match hurry {
            true => fold_on(&mut shadow, true, stop),
            false => politely(|| fold_on(&mut shadow, false, stop)),
        };
        match folded {
            Ok(true) => {}
            Ok(false) => rest(Duration::from_millis(500), stop),
            Err(error) => {
                tracing::warn!(error, "no snapshot was made; the next start takes longer");
                rest(Duration::from_secs(10), stop);
            }
        }
    }
}

/// Does nothing for so long, or until it is time to stop. A thread that was unparked before, as the end of a scope does,
/// does not wait in its next `park`, so one of them is not enough.
fn rest(time: Duration, stop: &AtomicBool) {
    let until = Instant::now() + time;
    while !stop.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

/// Whether to be so many events behind is a reason to hurry, or still one.
fn hurries(behind: u64, already: bool) -> bool {
    behind > if already { BEHIND_MAX / 2 } else { BEHIND_MAX }
}

/// Folds until there is nothing to do, which is false, or until its haste no longer fits.
fn fold_on<D: Disk>(shadow: &mut Shadow<D>, hurry: bool, stop: &AtomicBool) -> Result<bool, String> {
    while !stop.load(Ordering::Relaxed) && hurries(shadow.behind(), hurry) == hurry {
        if !shadow.step()? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// At the lowest priority: a snapshot may wait, payments may not. On a thread of its own, since only the
/// superuser takes a thread's niceness back.
fn politely<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let polite = scope.spawn(|| {
            // On Linux this is the thread's own niceness.
            let _ = rustix::process::nice(19);
            work()
        });
        polite.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The end of a scope leaves its thread unparked. Where snapshots rested by one `park`, they did not rest at all, and a
    /// bank at rest made threads as fast as it could.
    #[test]
    fn who_has_been_polite_rests_all_the_same_and_stops_at_once() {
        let stop = AtomicBool::new(false);
        for _ in 0..20 {
            politely(|| ());
            let began = Instant::now();
            rest(Duration::from_millis(20), &stop);
            assert!(began.elapsed() >= Duration::from_millis(20));
        }
        let resting = std::thread::current();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                stop.store(true, Ordering::Relaxed);
                resting.unpark();
            });
            rest(Duration::from_secs(3_600), &stop);
        });
    }

    #[test]
    fn haste_begins_late_and_ends_late() {
        assert!(!hurries(BEHIND_MAX, false) && hurries(BEHIND_MAX + 1, false));
        assert!(hurries(BEHIND_MAX / 2 + 1, true) && !hurries(BEHIND_MAX / 2, true));
    }
}
