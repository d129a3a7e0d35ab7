//! Whether two heaps of claims are the same, in any order and in little memory: a sum for each stretch of
//! sequences, to which the journal adds and from which the files take away.
//!
//! A claim counts as a hash of it under a key that is drawn for each verification. Nobody can make files that sum
//! up without having its claims, and two heaps that differ sum up to the same in one of 2^64 cases.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use journal::keys::Digest;

/// Sequences in a stretch: where the sums differ, the claims of one stretch are compared one by one.
const STRETCH: u64 = 4_096;

pub(super) struct Stretches {
    key: RandomState,
    sums: Vec<u64>,
}

impl Stretches {
    /// For the sequences up to `last`: eight bytes for each stretch.
    pub(super) fn up_to(last: u64) -> Stretches {
        Stretches { key: RandomState::new(), sums: vec![0; (last / STRETCH) as usize + 1] }
    }

    /// The journal has this claim.
    pub(super) fn add(&mut self, sequence: u64, digest: Digest, value: u64) {
        let sum = &mut self.sums[(sequence / STRETCH) as usize];
        *sum = sum.wrapping_add(self.key.hash_one((digest, value)));
    }

    /// The files have it. False if they cannot: it lies beyond the last sequence.
    pub(super) fn take(&mut self, sequence: u64, digest: Digest, value: u64) -> bool {
        let Some(sum) = self.sums.get_mut((sequence / STRETCH) as usize) else { return false };
        *sum = sum.wrapping_sub(self.key.hash_one((digest, value)));
        true
    }

    /// The first stretch in which the two differ, and in how many they do.
    pub(super) fn differing(&self) -> Option<(Range<u64>, usize)> {
        let mut differing = (0u64..).zip(&self.sums).filter(|(_, sum)| **sum != 0);
        let (first, _) = differing.next()?;
        Some((first * STRETCH..(first + 1) * STRETCH, 1 + differing.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::new([number; 16])
    }

    #[test]
    fn the_order_does_not_count_and_everything_else_does() {
        let journal = [(1, digest(1), 1), (5_000, digest(2), 5_000), (9_000, digest(3), 9_000)];
        let compare = |files: &[(u64, Digest, u64)]| {
            let mut stretches = Stretches::up_to(10_000);
            journal.iter().for_each(|(sequence, digest, value)| stretches.add(*sequence, *digest, *value));
            files.iter().all(|(sequence, digest, value)| stretches.take(*sequence, *digest, *value));
            stretches.differing()
        };
        let [a, b, c] = journal;
        assert_eq!(compare(&[c, a, b]), None);
        assert_eq!(compare(&[c, a]), Some((4_096..8_192, 1)), "one is missing");
        assert_eq!(compare(&[c, a, b, b]), Some((4_096..8_192, 1)), "one stands twice");
        assert_eq!(compare(&[c, a, (5_000, digest(9), 5_000)]), Some((4_096..8_192, 1)), "another key");
        assert_eq!(compare(&[c, (1, digest(1), 5_000), (5_000, digest(2), 1)]), Some((0..4_096, 2)));
        assert!(!Stretches::up_to(10_000).take(1 << 40, digest(1), 1), "beyond the last sequence");
    }
}
