//! Opening: snapshot, journal, claims, and then the threads.
//!
//! ```text
//!  newest snapshot ─► state ─► journal: walk, mend, replay the rest ─► state at the head
//!                                                    │
//!  key files cover 1..=c ────────────────────────────┴─► claims of c+1..=head are inserted again
//! ```
//! Nothing is answered before the journal has been rewritten and synced up to its head.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use journal::disk::Disk;
use journal::keys::{Discarded, KeysError, Options as KeyOptions, Recent, References, Shelf};
use journal::{Batch, Folder, Identity, Journal, Options, Recovery};
use ledger::codec::{self, DecodeError};
use ledger::{Digest, State};

use super::background::{Background, Plan};
use super::reading::Reading;
use super::writer::Writer;
use super::writing::{Output, Writing, key};
use super::{replay, snapshots};
use crate::books::FactsTable;

/// How a journal store is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Sizes of the journal.
    pub journal: Options,
    /// Events between two snapshots.
    pub snapshot_every: u64,
    /// Claims in a generation of recent keys; at least four times what a batch may claim.
    pub generation_claims: usize,
    /// Random for each process: where keys are placed in memory.
    pub seed: [u64; 2],
    /// Own threads for writing, filing and snapshots; without them everything happens in the caller's.
    pub threads: bool,
}

impl Default for Settings {
    /// 64 MiB segments, frames up to 32 MiB, a snapshot every eight million events: two seconds of replay.
    fn default() -> Self {
        Settings {
            journal: Options { frame_bytes_max: 32 << 20, ..Options::default() },
            snapshot_every: 8_000_000,
            generation_claims: 2_000_000,
            seed: [0; 2],
            threads: true,
        }
    }
}

/// Why the books cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal's own reasons.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// The key files' own reasons.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A record is no event.
    #[error("event {sequence} cannot be read: {error}")]
    Event {
        /// Where.
        sequence: u64,
        /// Why.
        error: DecodeError,
    },
    /// A record that was durable cannot be read back.
    #[error("the journal cannot be read back: {0}; check the disk, then start again")]
    Unreadable(String),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}; raise the limit on processes, then start again")]
    Thread(std::io::Error),
}

/// An open store.
pub struct Opened<D: Disk> {
    /// For the rules thread.
    pub writing: Writing<D>,
    /// For everybody else.
    pub reading: Arc<Reading<D>>,
    /// The threads; dropping it waits for them. Drop `writing` first.
    pub background: Background,
    /// What opening found.
    pub recovery: Recovery,
    /// Whose books they are.
    pub identity: Identity,
    /// Key files that were thrown away and are being made again.
    pub discarded: Vec<Discarded>,
}

/// Makes a new, empty store in a folder.
///
/// # Errors
/// As [`open`].
pub fn create<D: Disk>(
    disk: D,
    dir: &Path,
    identity: Identity,
    settings: &Settings,
) -> Result<Opened<D>, OpenError> {
    let folder = Folder::create(disk.clone(), dir, identity, settings.journal)?;
    start(disk, dir, folder, settings)
}

/// Opens the store in a folder.
///
/// # Errors
/// [`OpenError`]; nothing was answered and nothing that was acknowledged was changed.
pub fn open<D: Disk>(disk: D, dir: &Path, settings: &Settings) -> Result<Opened<D>, OpenError> {
    let folder = Folder::open(disk.clone(), dir, settings.journal)?;
    start(disk, dir, folder, settings)
}

fn start<D: Disk>(
    disk: D,
    dir: &Path,
    folder: Folder<D>,
    settings: &Settings,
) -> Result<Opened<D>, OpenError> {
    let identity = folder.identity();
    let (state, journal, recovery) = recover(&disk, dir, folder, settings)?;
    let Journal { appender, reader, background: spares } = journal;

    let head = recovery.head.sequence;
    let keys = Shelf::open(&disk, &dir.join("keys"), options(b"claims", identity, settings), head)?;
    let names =
        Shelf::open(&disk, &dir.join("references"), options(b"references", identity, settings), head)?;
    let mut recent = Recent::new(&keys.shelf);
    let references = Arc::new(References::new(&names.shelf));
    let covered = (keys.covered_through, names.covered_through);
    refill(&reader, covered, settings, &mut recent, &references)?;

    let poisoned = Arc::new(OnceLock::new());
    let (durable, watch) = tokio::sync::watch::channel(head);
    let capacity = appender.room();
    let writer = Writer {
        appender,
        references: Arc::clone(&references),
        durable,
        poisoned: Arc::clone(&poisoned),
        frames: VecDeque::new(),
    };
    let plan = Plan {
        disk: disk.clone(),
        dir: dir.to_path_buf(),
        reader: reader.clone(),
        shelves: [("keys", keys.shelf.clone()), ("references", names.shelf.clone())],
        snapshot_at: head - recovery.replayed,
        snapshot_every: settings.snapshot_every,
    };
    let (output, background) = if settings.threads {
        let (jobs, jobs_out) = crossbeam_channel::bounded(1);
        let (buffers_in, buffers) = crossbeam_channel::bounded(4);
        let background = Background::start(plan, spares, move || writer.run(&jobs_out, &buffers_in))
            .map_err(OpenError::Thread)?;
        (Output::Thread { jobs, buffers }, background)
    } else {
        (Output::Inline(Box::new(writer)), Background::inline(plan, spares))
    };
    let facts = Arc::new(FactsTable::of(&state));
    let writing = Writing {
        state,
        recent,
        facts: Arc::clone(&facts),
        batch: Batch::new(),
        references: Vec::new(),
        capacity,
        poisoned: Arc::clone(&poisoned),
        output,
        touched: Vec::new(),
    };
    let reading = Arc::new(Reading {
        reader,
        keys: keys.shelf,
        references_shelf: names.shelf,
        references,
        poisoned,
        watch,
        facts,
        disk,
        snapshots: dir.to_path_buf(),
        folding: parking_lot::Mutex::new(()),
    });
    let discarded = keys.discarded.into_iter().chain(names.discarded).collect();
    Ok(Opened { writing, reading, background, recovery, identity, discarded })
}

/// State and journal at the head. A snapshot that is not of this journal is passed over for an older one.
fn recover<D: Disk>(
    disk: &D,
    dir: &Path,
    folder: Folder<D>,
    settings: &Settings,
) -> Result<(State, Journal<D>, Recovery), OpenError> {
    let (mut state, mut after) = snapshots::load(disk, dir, u64::MAX);
    let mut folder = Some(folder);
    loop {
        let opened = match folder.take() {
            Some(folder) => folder,
            None => Folder::open(disk.clone(), dir, settings.journal)?,
        };
        let (result, broken) = replay::replay(opened, after, &mut state);
        match result {
            Ok((journal, recovery)) => {
                return broken.map(|()| (state, journal, recovery));
            }
            Err(journal::OpenError::SnapshotMismatch { sequence }) => {
                tracing::warn!(sequence, "a snapshot is not of this journal; an older one is used");
                (state, after) = snapshots::load(disk, dir, sequence);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn options(what: &[u8], identity: Identity, settings: &Settings) -> KeyOptions {
    let bound = [what, &identity.bank, &identity.timeline.to_be_bytes()];
    let mut name = [0; 32];
    name[..16].copy_from_slice(&Digest::over(&bound).0);
    let defaults = KeyOptions::new(name, settings.seed);
    KeyOptions {
        generation_claims: settings.generation_claims,
        reserve_bytes: settings.journal.reserve_bytes,
        batch_claims: defaults.batch_claims.min(settings.generation_claims / 2),
        ..defaults
    }
}

/// How many records are walked at most between two points at which a generation may be sealed. A record makes
/// at most two claims, and a table takes twice what a generation is meant to hold.
const REFILL_STEP: u64 = 4_096;

/// Inserts the claims and references of all records that the key files do not cover.
fn refill<D: Disk>(
    reader: &journal::Reader<D>,
    covered: (u64, u64),
    settings: &Settings,
    recent: &mut Recent,
    references: &References,
) -> Result<(), OpenError> {
    let step = REFILL_STEP.min(settings.generation_claims as u64 / 4).max(1);
    let mut scan = reader.scan_aside(covered.0.min(covered.1) + 1);
    let mut last = covered;
    let mut named = Vec::new();
    loop {
        let next = scan.advance().map_err(|error| OpenError::Unreadable(error.to_string()))?;
        let at_end = next.is_none();
        if let Some(record) = next {
            let sequence = record.sequence();
            let unreadable = |error| OpenError::Event { sequence, error };
            if sequence > covered.0 {
                codec::claims_of(record.bytes(), |digest, claimed| {
                    recent.insert(key(&digest), claimed.to_value());
                })
                .map_err(unreadable)?;
                last.0 = sequence;
            }
            if sequence > covered.1 {
                let reference = codec::reference_of(record.bytes()).map_err(unreadable)?;
                named.extend(reference.map(|text| (key(&Digest::of_reference(text)), sequence)));
                last.1 = sequence;
            }
            if !sequence.is_multiple_of(step) {
                continue;
            }
        }
        recent.end_of_batch(last.0);
        references.insert_batch(named.drain(..), last.1);
        if at_end {
            return Ok(());
        }
    }
}
