//! Claims that repeat: one reference, many transactions. Not on the rules thread.
//!
//! The same runs and the same protocol as unique claims; only the recent part differs. An ordered set costs
//! more an insert than a flat table, but a reference used a million times costs no more than others, and
//! paging through it needs no sorting.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::RwLock;

use super::digest::{Digest, Entry};
use super::error::KeysError;
use super::generation::{Claims, Generation};
use super::sealed::Sealed;
use super::shelf::Shelf;

/// All values of repeating digests, recent and old. One for each shelf; shared by one writer, which follows
/// the durable events, and any number of readers.
pub struct References {
    shelf: Shelf,
    recent: RwLock<Recent>,
}

struct Recent {
    active: BTreeSet<Entry>,
    after: u64,
    through: u64,
    sealed: Sealed,
}

impl References {
    /// Nothing recent yet: the caller inserts what records after the shelf's coverage refer to.
    pub fn new(shelf: &Shelf) -> Self {
        let through = shelf.runs().through();
        let recent =
            Recent { active: BTreeSet::new(), after: through, through, sealed: Sealed::new(through) };
        Self { shelf: shelf.clone(), recent: RwLock::new(recent) }
    }

    /// Adds what the records of one batch refer to; `last` is the batch's last sequence.
    pub fn insert_batch(&self, references: impl IntoIterator<Item = (Digest, u64)>, last: u64) {
        let mut recent = self.recent.write();
        assert!(last >= recent.through, "sequences do not go back");
        recent.active.extend(references.into_iter().map(|(digest, value)| Entry::new(digest, value)));
        recent.through = last;
        let options = self.shelf.options();
        let full = recent.active.len() >= options.generation_claims;
        if (full || last - recent.after >= options.generation_sequences) && last > recent.after {
            let claims = Claims::Repeated(std::mem::take(&mut recent.active));
            let generation = Generation { after: recent.after, through: last, claims };
            recent.after = last;
            recent.sealed.push(Arc::new(generation), &self.shelf);
        }
        recent.sealed.drop_covered(&self.shelf);
    }

    /// The largest values of a digest below `before`, in descending order, `limit` at most. For the next
    /// page, `before` is the last value of this one.
    pub fn find_all(&self, digest: &Digest, before: u64, limit: usize) -> Result<Vec<u64>, KeysError> {
        // The set first, then memory, the set held throughout: the protocol of the module's header.
        let runs = self.shelf.runs();
        let mut found = Vec::new();
        {
            let recent = self.recent.read();
            let sealed = recent.sealed.beyond(&runs).map(|generation| match &generation.claims {
                Claims::Repeated(set) => set,
                Claims::Unique(_) => unreachable!("a shelf holds one kind of claims"),
            });
            for set in sealed.chain([&recent.active]) {
                let below = set.range(Entry::new(*digest, 0)..Entry::new(*digest, before)).rev();
                found.extend(below.take(limit).map(|entry| entry.value));
            }
        }
        found.extend(runs.find_all(digest, before, limit)?);
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(limit);
        Ok(found)
    }

    /// The last sequence whose references were inserted.
    pub fn through(&self) -> u64 {
        self.recent.read().through
    }
}
