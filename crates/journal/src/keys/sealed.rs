//! Sealed generations that some look-up may still need, and the rule for letting them go.
//!
//! This is the half of the visibility protocol that lives in memory; the module's header has all of it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::generation::Generation;
use super::runs::Runs;
use super::shelf::Shelf;

pub(super) struct Sealed {
    generations: VecDeque<Arc<Generation>>,
    /// The last sequence whose claims are no longer in memory.
    dropped_through: u64,
}

impl Sealed {
    pub(super) fn new(covered_through: u64) -> Self {
        Self { generations: VecDeque::new(), dropped_through: covered_through }
    }

    /// The generations that this set of runs does not cover.
    ///
    /// Panics if one that it does not cover is gone: going on would answer "never seen" to a claim that
    /// exists, which is money moved twice.
    pub(super) fn beyond(&self, runs: &Runs) -> impl Iterator<Item = &Generation> {
        assert!(
            runs.through() >= self.dropped_through,
            "looked up in runs through {}, but memory starts after {}",
            runs.through(),
            self.dropped_through
        );
        self.generations
            .iter()
            .rev()
            .map(|generation| &**generation)
            .take_while(|it| it.through > runs.through())
    }

    pub(super) fn push(&mut self, generation: Arc<Generation>, shelf: &Shelf) {
        self.generations.push_back(generation.clone());
        shelf.add_unfiled(generation);
    }

    /// Lets go of the generations that every set still in use covers.
    pub(super) fn drop_covered(&mut self, shelf: &Shelf) {
        if self.generations.is_empty() {
            return;
        }
        let floor = shelf.floor();
        while let Some(generation) = self.generations.pop_front_if(|generation| generation.through <= floor) {
            self.dropped_through = generation.through;
            shelf.discard(generation);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.generations.len()
    }
}
