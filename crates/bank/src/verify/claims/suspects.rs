//! The second look, taken only where something differs: the events and entries in question, compared one by
//! one, so that the first wrong event has a name.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use journal::keys::Digest;

use super::super::findings::Findings;
use super::files::Files;
use super::sequence_of;

/// The most digests that are looked at again.
const DIGESTS_MAX: usize = 4_096;

/// What is to be looked at again.
#[derive(Default)]
pub(in super::super) struct Suspects {
    /// First halves of digests that seem to stand twice.
    twice: BTreeSet<u64>,
    /// Sequences among which journal and files differ.
    stretch: Range<u64>,
    /// Who claimed a digest first, of those in `twice`.
    claimed_by: BTreeMap<Digest, u64>,
    /// What the journal claims in the stretch: sequence, digest, value.
    expected: Vec<(u64, Digest, u64)>,
}

impl Suspects {
    pub(super) fn twice(&mut self, high: u64) {
        if self.twice.len() < DIGESTS_MAX {
            self.twice.insert(high);
        }
    }

    pub(super) fn differ_in(&mut self, stretch: Range<u64>) {
        self.stretch = stretch;
    }

    /// Is there anything to look at?
    pub(in super::super) fn any(&self) -> bool {
        !self.twice.is_empty() || !self.stretch.is_empty()
    }

    /// The second walk comes by a claim.
    pub(super) fn pass(&mut self, digest: Digest, value: u64, files: &Files, found: &mut Findings) {
        let sequence = sequence_of(value);
        if self.twice.contains(&first_half(&digest)) {
            match self.claimed_by.get(&digest) {
                Some(first) => {
                    found.wrong(files.subject, sequence, format!("its key was used by {first} already"))
                }
                None => _ = self.claimed_by.insert(digest, sequence),
            }
        }
        if self.stretch.contains(&sequence) && sequence <= files.covered {
            self.expected.push((sequence, digest, value));
        }
    }

    /// The second walk is over: names what the files lack, and what they have too much.
    pub(super) fn settle(mut self, files: &Files, found: &mut Findings) {
        self.expected.sort_unstable_by_key(|(_, digest, value)| (*digest, *value));
        let digests: BTreeSet<Digest> = self.expected.iter().map(|(_, digest, _)| *digest).collect();
        let mut filed: BTreeMap<Digest, Vec<u64>> = BTreeMap::new();
        let within = |value| self.stretch.contains(&sequence_of(value));
        let read = files.for_each(found, |digest, value| {
            if within(value) || digests.contains(&digest) {
                filed.entry(digest).or_default().push(value);
            }
        });
        if !read || self.stretch.is_empty() {
            return;
        }
        let word = files.subject.of_claims();
        for (sequence, digest, value) in &self.expected {
            let values = filed.get(digest).map_or(&[][..], Vec::as_slice);
            let times = values.iter().filter(|filed| *filed == value).count();
            found.expect(times == 1, files.subject, *sequence, || {
                let leads: BTreeSet<u64> = values.iter().map(|value| sequence_of(*value)).collect();
                format!("the files lead its {word} {digest:?} to {leads:?}, {times} times to itself")
            });
        }
        for (digest, values) in filed {
            for value in values.into_iter().filter(|value| within(*value)) {
                let known = self
                    .expected
                    .binary_search_by_key(&(digest, value), |(_, digest, value)| (*digest, *value))
                    .is_ok();
                found.expect(known, files.subject, sequence_of(value), || {
                    format!("the files lead {word} {digest:?} to it, which it does not have")
                });
            }
        }
    }
}

pub(super) fn first_half(digest: &Digest) -> u64 {
    u64::from_be_bytes(*digest.bytes().first_chunk().expect("sixteen bytes"))
}
