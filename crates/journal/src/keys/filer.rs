//! The background worker: files sealed generations, merges runs, frees what is no longer used.
//!
//! Step by step, so that a simulation can drive it without threads; [`Filer::run`] is the loop for real life.
//! A step is one generation filed (a fifth of a second at two million claims) or one slice of a merge (some ten
//! milliseconds). Filing goes before merging, and merging small runs before large ones: a merge of 128
//! million claims takes seconds and waits whenever anything else is to be done.
//!
//! A failure loses nothing: a generation stays in memory until its run is published, a merge's inputs until
//! the result is. Failed merges are tried again after ever longer pauses, since each try writes much.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::error::KeysError;
use super::format::{Header, Range};
use super::generation::Generation;
use super::merge::Merge;
use super::run::Run;
use super::shelf::Shelf;
use super::writer::RunWriter;
use crate::disk::Disk;

/// Runs of one tier that are merged into one of the next.
const FAN_IN: usize = 4;

/// Longest pause after failed merges, in steps that had nothing else to do.
const LONGEST_PAUSE: u32 = 1 << 10;

/// Pause of the loop when there is nothing to do, and after a failure.
const IDLE: Duration = Duration::from_millis(50);
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Files and merges for one shelf. One for each shelf.
pub struct Filer<D: Disk> {
    disk: D,
    dir: PathBuf,
    shelf: Shelf,
    /// Merges under way; each is of a lower tier than the one before it, and the last one goes on first.
    merges: Vec<Merge<D>>,
    /// Steps to wait before the next merge is started, and how long the last wait was.
    pause: u32,
    last_pause: u32,
}

impl<D: Disk> Filer<D> {
    /// A filer for the folder that the shelf was opened from.
    pub fn new(disk: &D, dir: &Path, shelf: &Shelf) -> Self {
        Self {
            disk: disk.clone(),
            dir: dir.to_path_buf(),
            shelf: shelf.clone(),
            merges: Vec::new(),
            pause: 0,
            last_pause: 0,
        }
    }

    /// Does one piece of work; false if there is none. `durable` is the last durable sequence: generations
    /// that reach beyond it wait.
    ///
    /// An error is also in the shelf's status; calling again tries again.
    pub fn step(&mut self, durable: u64) -> Result<bool, KeysError> {
        let result = self.try_step(durable);
        match &result {
            // While a failed merge waits for its next try, the error stands.
            Ok(_) if self.last_pause > 0 => {}
            Ok(_) => self.shelf.note_success(),
            Err(error) => {
                tracing::warn!(%error, "filing claims failed; they stay in memory");
                self.shelf.note_failure(error);
            }
        }
        result
    }

    fn try_step(&mut self, durable: u64) -> Result<bool, KeysError> {
        drop(self.shelf.take_discarded());
        // First, since it makes room; but an old file that stays must not keep new claims from being filed.
        let removed = self.remove_retired();
        if self.shelf.spare_wanted() {
            let mut table = self.shelf.options().table();
            table.map_pages();
            self.shelf.put_spare(table);
            return Ok(true);
        }
        if let Some(generation) = self.shelf.fileable(durable) {
            self.file(&generation)?;
            return Ok(true);
        }
        removed?;
        self.merge()
    }

    fn file(&self, generation: &Generation) -> Result<(), KeysError> {
        let entries = generation.sorted();
        debug_assert_eq!(entries.len(), generation.len());
        let header = Header {
            identity: self.shelf.options().identity,
            range: Range { first: generation.after + 1, last: generation.through },
            entries: entries.len() as u64,
            tier: 0,
            fences_crc: 0,
            filter_crc: 0,
        };
        let mut writer = self.create(header)?;
        if let Err(error) = entries.iter().try_for_each(|entry| writer.push(entry)) {
            writer.abandon();
            return Err(error);
        }
        self.shelf.admit(writer.finish()?);
        Ok(())
    }

    fn create(&self, header: Header) -> Result<RunWriter<D>, KeysError> {
        RunWriter::create(&self.disk, &self.dir, header, self.shelf.options().reserve_bytes)
    }

    fn merge(&mut self) -> Result<bool, KeysError> {
        if self.pause > 0 {
            self.pause -= 1;
            return Ok(false);
        }
        match self.try_merge() {
            Ok(worked) => Ok(worked),
            Err(error) => {
                self.last_pause = (self.last_pause * 2).clamp(1, LONGEST_PAUSE);
                self.pause = self.last_pause;
                Err(error)
            }
        }
    }

    fn try_merge(&mut self) -> Result<bool, KeysError> {
        if let Some(inputs) = self.next_inputs() {
            let merge = Merge::start(inputs, self.shelf.options().identity, |header| self.create(header))?;
            self.merges.push(merge);
        }
        let Some(merge) = self.merges.last_mut() else { return Ok(false) };
        match merge.advance(self.shelf.options().merge_slice) {
            Ok(false) => Ok(true),
            Ok(true) => {
                let merge = self.merges.pop().expect("the merge that is complete");
                let inputs = merge.inputs().to_vec();
                self.shelf.replace(&inputs, merge.finish()?);
                self.last_pause = 0;
                Ok(true)
            }
            Err(error) => {
                self.merges.pop().expect("the merge that failed").abandon();
                Err(error)
            }
        }
    }

    /// The oldest runs of the lowest tier that has enough of them, if that tier is below those being merged.
    fn next_inputs(&self) -> Option<Vec<Arc<Run>>> {
        let below = self.merges.last().map_or(self.shelf.options().top_tier, |merge| merge.tier());
        let current = self.shelf.runs();
        let same_tier = |runs: &&[Arc<Run>]| runs.iter().all(|run| run.tier() == runs[0].tier());
        current
            .runs()
            .windows(FAN_IN)
            .filter(same_tier)
            .filter(|runs| runs[0].tier() < below)
            .min_by_key(|runs| runs[0].tier())
            .map(<[_]>::to_vec)
    }

    fn remove_retired(&self) -> Result<(), KeysError> {
        let mut result = Ok(());
        for run in self.shelf.take_retired() {
            if let Err(error) = self.disk.remove(run.path())
                && error.kind() != io::ErrorKind::NotFound
            {
                result = Err(KeysError::io("remove", run.path())(error));
                self.shelf.retire_again(run);
            }
        }
        result
    }

    /// Works until `stop` is set, at low priority. `durable` answers the last durable sequence. Unpark the
    /// thread to have it look again at once.
    pub fn run(mut self, durable: impl Fn() -> u64, stop: &AtomicBool) {
        // Linux applies this to the calling thread alone; without the permission it is merely less polite.
        let _ = rustix::process::nice(10);
        while !stop.load(Ordering::Relaxed) {
            match self.step(durable()) {
                Ok(true) => std::thread::yield_now(),
                Ok(false) => std::thread::park_timeout(IDLE),
                Err(_) => std::thread::park_timeout(AFTER_FAILURE),
            }
        }
    }
}
