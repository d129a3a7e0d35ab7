//! The set of runs that look-ups use: immutable, shared, replaced as a whole.
//!
//! A set covers the sequences `1..=through` without a gap. A submission looks its digests up in one set and
//! keeps that set until the rules thread has looked them up in [`Recent`](super::Recent): what the one does
//! not cover, the other still holds (see the module's header).

use std::sync::Arc;

use super::digest::Digest;
use super::error::KeysError;
use super::merge::Merged;
use super::run::Run;

/// Old claims, as of one moment. Cheap to look up in from any thread; never changes.
pub struct Runs {
    version: u64,
    through: u64,
    runs: Vec<Arc<Run>>,
}

impl Runs {
    /// A set of runs that follow each other from sequence 1 on, oldest first.
    pub(super) fn new(version: u64, runs: Vec<Arc<Run>>) -> Self {
        let mut through = 0;
        for run in &runs {
            assert_eq!(run.range().first, through + 1, "runs cover sequences without gap or overlap");
            through = run.range().last;
        }
        Self { version, through, runs }
    }

    /// Rises by one with every set that a shelf publishes.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every claim of the sequences up to and including this one is here.
    pub fn through(&self) -> u64 {
        self.through
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether there is no run yet.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Number of claims.
    pub fn entries(&self) -> u64 {
        self.runs.iter().map(|run| run.entries()).sum()
    }

    /// Memory of filters and fences, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.runs.iter().map(|run| run.memory_bytes()).sum()
    }

    pub(super) fn runs(&self) -> &[Arc<Run>] {
        &self.runs
    }

    /// Looks up many digests, appending the index and value of each one found, in no particular order.
    ///
    /// Unique claims are found once at most. For claims that repeat, use [`Runs::find_all`].
    /// An error means that nothing is known about any of the digests.
    pub fn find_batch(&self, digests: &[Digest], found: &mut Vec<(usize, u64)>) -> Result<(), KeysError> {
        // Enough that the misses of one group overlap, few enough that its lines stay in the first cache.
        const GROUP: usize = 64;
        // In the order of the filters' lines: neighbours share pages of memory, which saves most walks of page tables.
        let mut order: Vec<(u64, u32)> =
            digests.iter().enumerate().map(|(at, digest)| (digest.high, at as u32)).collect();
        order.sort_unstable();
        let ordered: Vec<Digest> = order.iter().map(|(_, at)| digests[*at as usize]).collect();
        let mut maybe: Vec<(&Run, usize)> = Vec::new();
        for run in &self.runs {
            for (group, digests) in ordered.chunks(GROUP).enumerate() {
                run.filter().touch(digests);
                for (at, digest) in digests.iter().enumerate() {
                    if run.filter().may_contain(digest) {
                        maybe.push((run, group * GROUP + at));
                    }
                }
            }
        }
        // After a start blocks are on the disk only. It is asked for all of them before the first is waited for: one
        // after the other, two hundred for a batch, they would take longer than everything else that is done for it.
        if maybe.len() > 1 {
            maybe.iter().for_each(|(run, at)| run.foresee(&ordered[*at]));
        }
        for (run, at) in maybe {
            if let Some(value) = run.find(&ordered[at])? {
                found.push((order[at].1 as usize, value));
            }
        }
        Ok(())
    }

    /// Looks up one digest.
    pub fn find(&self, digest: &Digest) -> Result<Option<u64>, KeysError> {
        let mut found = Vec::new();
        self.find_batch(std::slice::from_ref(digest), &mut found)?;
        Ok(found.first().map(|(_, value)| *value))
    }

    /// The largest values of a digest below `before`, in descending order, `limit` at most.
    pub fn find_all(&self, digest: &Digest, before: u64, limit: usize) -> Result<Vec<u64>, KeysError> {
        let mut found = Vec::new();
        // Values are opaque, so a newer run need not hold the larger ones: every run may contribute.
        for run in self.runs.iter().filter(|run| run.filter().may_contain(digest)) {
            run.find_before(digest, before, limit, &mut found)?;
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    /// Calls `each` with every claim, ordered by digest, then by value: one pass over all files, for whoever
    /// compares all of them with something.
    pub fn for_each(&self, mut each: impl FnMut(Digest, u64)) -> Result<(), KeysError> {
        let mut merged = Merged::new(&self.runs)?;
        while let Some(entry) = merged.next()? {
            each(entry.digest, entry.value);
        }
        Ok(())
    }

    /// Reads and checks every file from end to end: a scrub, for a background thread.
    pub fn verify(&self) -> Result<(), KeysError> {
        self.runs.iter().try_for_each(|run| run.verify())
    }
}
