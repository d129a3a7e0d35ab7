//! What submitting threads, the rules thread and the filer share: the current set of runs, and what waits.
//!
//! One short lock. Nothing large is allocated, freed, read or written while it is held, so the rules thread
//! may take it once a batch. Freeing large things is the filer's work too: whoever lets go of a
//! generation or a run hands it over here instead of returning a hundred megabytes to the kernel himself.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::error::KeysError;
use super::generation::Generation;
use super::run::Run;
use super::runs::Runs;
use super::table::{Secret, Table};

/// How claims are kept; the same for every process that opens a folder, except the seed.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the claims belong to, so that a folder of another bank, timeline or kind of claims is never
    /// taken for this one: a hash over those.
    pub identity: [u8; 32],
    /// Places digests in memory; random for each process, so that nobody can search for keys that collide.
    /// No result depends on it.
    pub seed: [u64; 2],
    /// Claims a generation holds before it is sealed. 48 bytes of memory each.
    pub generation_claims: usize,
    /// The most claims between two calls of `end_of_batch`.
    pub batch_claims: usize,
    /// Sequences a generation covers before it is sealed, however few claims it has: a start walks the records
    /// that no run covers, and must not walk the whole journal because hardly anybody sends references.
    pub generation_sequences: u64,
    /// Runs of this tier are not merged any more (tier 0: one generation; each further one: four times that).
    pub top_tier: u32,
    /// Free space that filing and merging leave to the journal, in bytes.
    pub reserve_bytes: u64,
    /// Entries a merge moves in one step of the filer.
    pub merge_slice: usize,
}

impl Options {
    /// Two million claims a generation, tiers up to 128 million, a gigabyte left free.
    pub fn new(identity: [u8; 32], seed: [u64; 2]) -> Self {
        Self {
            identity,
            seed,
            generation_claims: 2_000_000,
            generation_sequences: 4_000_000,
            batch_claims: 2 * 8_192,
            top_tier: 3,
            reserve_bytes: 1 << 30,
            merge_slice: 1 << 18,
        }
    }

    pub(super) fn table(&self) -> Table {
        Table::new(self.generation_claims, Secret::new(self.seed))
    }
}

/// The shared place of one kind of claims. Clones share it.
#[derive(Clone)]
pub struct Shelf {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    state: Mutex<State>,
}

struct State {
    current: Arc<Runs>,
    /// Earlier sets that someone may still hold, with what they cover.
    past: Vec<(u64, Weak<Runs>)>,
    /// Sealed and not yet in a run, oldest first.
    unfiled: VecDeque<Arc<Generation>>,
    /// Runs that no later set contains; their files go when nobody holds an earlier set.
    retired: Vec<Arc<Run>>,
    /// Generations to be freed.
    discarded: Vec<Arc<Generation>>,
    spare: Spare,
    failures: u64,
    last_error: Option<String>,
}

enum Spare {
    None,
    Wanted,
    Ready(Table),
}

/// How the shelf is doing, for metrics and alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Files in the current set.
    pub runs: usize,
    /// Claims in the current set.
    pub filed_claims: u64,
    /// The last sequence that the current set covers.
    pub filed_through: u64,
    /// Memory of the current set's filters and fences, in bytes.
    pub runs_memory_bytes: usize,
    /// Sealed generations that wait for durability or for the filer.
    pub unfiled_generations: usize,
    /// Their memory, in bytes. It rises while filing fails: the caller should stop taking work before it
    /// runs out.
    pub unfiled_memory_bytes: usize,
    /// Runs that were merged but are still used by look-ups under way.
    pub retired_runs: usize,
    /// Steps of the filer that failed since the start.
    pub failures: u64,
    /// What the last failure said; none again once everything is tried again with success.
    pub last_error: Option<String>,
}

impl Shelf {
    pub(super) fn new(options: Options, runs: Vec<Arc<Run>>) -> Self {
        let state = State {
            current: Arc::new(Runs::new(0, runs)),
            past: Vec::new(),
            unfiled: VecDeque::new(),
            retired: Vec::new(),
            discarded: Vec::new(),
            spare: Spare::None,
            failures: 0,
            last_error: None,
        };
        Self { inner: Arc::new(Inner { options, state: Mutex::new(state) }) }
    }

    pub(super) fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The current set. Keep it until the look-up in memory is done, and not longer: as long as it is held,
    /// no generation that it lacks is freed.
    pub fn runs(&self) -> Arc<Runs> {
        self.inner.state.lock().current.clone()
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        let state = self.inner.state.lock();
        Status {
            runs: state.current.len(),
            filed_claims: state.current.entries(),
            filed_through: state.current.through(),
            runs_memory_bytes: state.current.memory_bytes(),
            unfiled_generations: state.unfiled.len(),
            unfiled_memory_bytes: state.unfiled.iter().map(|generation| generation.bytes()).sum(),
            retired_runs: state.retired.len(),
            failures: state.failures,
            last_error: state.last_error.clone(),
        }
    }

    /// The least that any set covers that is current or still held by anyone: what lies at or below it
    /// can be found in every set that may yet be used.
    pub(super) fn floor(&self) -> u64 {
        let mut state = self.inner.state.lock();
        state.forget_unheld();
        let held = state.past.iter().map(|(through, _)| *through);
        held.min().map_or(state.current.through(), |held| held.min(state.current.through()))
    }

    pub(super) fn add_unfiled(&self, generation: Arc<Generation>) {
        self.inner.state.lock().unfiled.push_back(generation);
    }

    /// The oldest unfiled generation, if all its claims are durable.
    pub(super) fn fileable(&self, durable: u64) -> Option<Arc<Generation>> {
        self.inner.state.lock().unfiled.front().filter(|generation| generation.through <= durable).cloned()
    }

    /// Publishes the set with this generation's run behind it. The caller still holds the generation.
    pub(super) fn admit(&self, run: Run) {
        let mut state = self.inner.state.lock();
        let filed = state.unfiled.pop_front().expect("the generation that was filed");
        assert_eq!((filed.after + 1, filed.through), (run.range().first, run.range().last));
        let runs = state.current.runs().iter().cloned().chain([Arc::new(run)]).collect();
        state.publish(runs);
    }

    /// Publishes the set with `merged` in the place of `inputs`.
    pub(super) fn replace(&self, inputs: &[Arc<Run>], merged: Run) {
        let mut state = self.inner.state.lock();
        let mut runs = state.current.runs().to_vec();
        let start = runs.iter().position(|run| Arc::ptr_eq(run, &inputs[0])).expect("inputs are current");
        let place = start..start + inputs.len();
        assert!(runs[place.clone()].iter().zip(inputs).all(|(a, b)| Arc::ptr_eq(a, b)));
        runs.splice(place, [Arc::new(merged)]);
        state.publish(runs);
        state.retired.extend_from_slice(inputs);
    }

    /// Runs that nobody can reach any more, to be removed; the caller holds the last reference.
    pub(super) fn take_retired(&self) -> Vec<Arc<Run>> {
        let mut state = self.inner.state.lock();
        state.retired.extract_if(.., |run| Arc::strong_count(run) == 1).collect()
    }

    /// Puts back a run whose file could not be removed.
    pub(super) fn retire_again(&self, run: Arc<Run>) {
        self.inner.state.lock().retired.push(run);
    }

    pub(super) fn discard(&self, generation: Arc<Generation>) {
        self.inner.state.lock().discarded.push(generation);
    }

    /// Generations that nobody else holds, for the caller to free.
    pub(super) fn take_discarded(&self) -> Vec<Arc<Generation>> {
        let mut state = self.inner.state.lock();
        state.discarded.extract_if(.., |generation| Arc::strong_count(generation) == 1).collect()
    }

    pub(super) fn want_spare(&self) {
        let mut state = self.inner.state.lock();
        if matches!(state.spare, Spare::None) {
            state.spare = Spare::Wanted;
        }
    }

    pub(super) fn spare_wanted(&self) -> bool {
        matches!(self.inner.state.lock().spare, Spare::Wanted)
    }

    pub(super) fn put_spare(&self, table: Table) {
        self.inner.state.lock().spare = Spare::Ready(table);
    }

    /// The table that was made ahead, or else one whose pages are yet to be mapped.
    pub(super) fn take_table(&self) -> Table {
        match std::mem::replace(&mut self.inner.state.lock().spare, Spare::None) {
            Spare::Ready(table) => table,
            Spare::None | Spare::Wanted => self.inner.options.table(),
        }
    }

    pub(super) fn note_success(&self) {
        self.inner.state.lock().last_error = None;
    }

    pub(super) fn note_failure(&self, error: &KeysError) {
        let mut state = self.inner.state.lock();
        state.failures += 1;
        state.last_error = Some(error.to_string());
    }
}

impl State {
    fn publish(&mut self, runs: Vec<Arc<Run>>) {
        let next = Arc::new(Runs::new(self.current.version() + 1, runs));
        assert!(next.through() >= self.current.through(), "what is covered stays covered");
        let last = std::mem::replace(&mut self.current, next);
        self.past.push((last.through(), Arc::downgrade(&last)));
        drop(last);
        self.forget_unheld();
    }

    /// Nobody can take a past set off the shelf again, so a count that fell to zero stays there.
    fn forget_unheld(&mut self) {
        self.past.retain(|(_, runs)| runs.strong_count() > 0);
    }
}
