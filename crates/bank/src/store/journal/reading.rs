//! The readers' side: durable history, on any number of threads.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use journal::Reader;
use journal::disk::Disk;
use journal::keys::{References, Shelf};
use ledger::{AccountId, Digest, Event, Sequence, State, codec};
use parking_lot::Mutex;

use super::snapshots;
use super::writing::key;
use crate::books::{Facts, FactsTable};
use crate::sequencer::{Fault, Prior};
use crate::store::reads::fold_up_to;
use crate::store::{Head, Reads, Watch};

/// The reading side of the journal store.
pub struct Reading<D: Disk> {
    pub(super) reader: Reader<D>,
    pub(super) keys: Shelf,
    pub(super) references_shelf: Shelf,
    pub(super) references: Arc<References>,
    pub(super) poisoned: Arc<OnceLock<String>>,
    pub(super) watch: Watch,
    pub(super) facts: Arc<FactsTable>,
    pub(super) disk: D,
    pub(super) snapshots: PathBuf,
    /// One fold at a time: each needs the memory of the whole books.
    pub(super) folding: Mutex<()>,
}

impl<D: Disk> Reading<D> {
    fn healthy(&self) -> Result<(), Fault> {
        match self.poisoned.get() {
            Some(cause) => Err(Fault::Poisoned(cause.clone())),
            None => Ok(()),
        }
    }

    /// The journal's reader, for streams of raw records.
    #[must_use]
    pub fn reader(&self) -> &Reader<D> {
        &self.reader
    }
}

fn unreadable(error: impl std::fmt::Display) -> Fault {
    Fault::Unreadable(error.to_string())
}

impl<D: Disk> Reads for Reading<D> {
    fn prepare(&self, digests: &[Digest]) -> Result<Prior, Fault> {
        let runs = self.keys.runs();
        if runs.is_empty() || digests.is_empty() {
            return Ok(Prior::new(Vec::new(), runs));
        }
        let keys: Vec<_> = digests.iter().map(key).collect();
        let mut found = Vec::new();
        runs.find_batch(&keys, &mut found).map_err(unreadable)?;
        let found = found.into_iter().map(|(index, value)| (digests[index], value)).collect();
        Ok(Prior::new(found, runs))
    }

    fn facts(&self, id: AccountId) -> Option<Facts> {
        self.facts.get(id)
    }

    fn head(&self) -> Head {
        let head = self.reader.head();
        Head { sequence: Sequence(head.sequence), hash: head.hash }
    }

    fn watch(&self) -> Watch {
        self.watch.clone()
    }

    fn event(&self, sequence: Sequence) -> Result<Option<Event>, Fault> {
        self.healthy()?;
        let Some(record) = self.reader.record(sequence.0).map_err(unreadable)? else { return Ok(None) };
        codec::decode(record.bytes()).map(Some).map_err(unreadable)
    }

    fn scan(&self, from: Sequence, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> Result<(), Fault> {
        self.healthy()?;
        let mut scan = self.reader.scan(from.0.max(1));
        while let Some(record) = scan.advance().map_err(unreadable)? {
            if each(codec::decode(record.bytes()).map_err(unreadable)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn by_reference(&self, reference: &str, before: Sequence, limit: usize) -> Result<Vec<Sequence>, Fault> {
        self.healthy()?;
        let digest = key(&Digest::of_reference(reference));
        let found = self.references.find_all(&digest, before.0, limit).map_err(unreadable)?;
        Ok(found.into_iter().map(Sequence).collect())
    }

    fn state_at(&self, sequence: Sequence) -> Result<State, Fault> {
        self.healthy()?;
        self.head().reaches(sequence)?;
        let _one = self.folding.try_lock().ok_or(Fault::Overloaded)?;
        let state = snapshots::newest(&self.disk, &self.snapshots, sequence.0).unwrap_or_default();
        fold_up_to(self, state, sequence)
    }

    fn figures(&self) -> Vec<(&'static str, f64)> {
        // The last segment counts whole; those that only wait to be used do not count.
        let used: u64 =
            self.reader.segments().iter().filter(|segment| !segment.spare).map(|segment| segment.bytes).sum();
        let keys = self.keys.status();
        let references = self.references_shelf.status();
        vec![
            ("bankcore_journal_bytes", self.reader.bytes_on_disk() as f64),
            ("bankcore_journal_used_bytes", used as f64),
            ("bankcore_journal_sequence", self.reader.durable() as f64),
            ("bankcore_key_runs", keys.runs as f64),
            ("bankcore_key_claims_filed", keys.filed_claims as f64),
            ("bankcore_key_memory_bytes", (keys.runs_memory_bytes + keys.unfiled_memory_bytes) as f64),
            ("bankcore_key_filing_failures", keys.failures as f64),
            ("bankcore_reference_runs", references.runs as f64),
            ("bankcore_poisoned", f64::from(u8::from(self.poisoned.get().is_some()))),
        ]
    }
}
