//! A sealed stretch of recent claims: everything claimed by the sequences `(after, through]`.
//!
//! Ranges of successive generations touch, also across sequences that claim nothing, so that "covered
//! through" is one number. A generation never changes; it is shared by whoever looks up and by the filer.

use std::collections::BTreeSet;

use super::digest::{Digest, Entry};
use super::table::Table;

pub(super) struct Generation {
    pub(super) after: u64,
    pub(super) through: u64,
    pub(super) claims: Claims,
}

/// Unique claims sit in a flat table; references repeat, which linear probing would answer with ever
/// longer probes, so theirs are an ordered set.
pub(super) enum Claims {
    Unique(Table),
    Repeated(BTreeSet<Entry>),
}

impl Generation {
    pub(super) fn len(&self) -> usize {
        match &self.claims {
            Claims::Unique(table) => table.len(),
            Claims::Repeated(set) => set.len(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match &self.claims {
            Claims::Unique(table) => table.bytes(),
            // A B-tree node holds 11 entries and is two thirds full when filled in random order.
            Claims::Repeated(set) => set.len() * size_of::<Entry>() * 3 / 2,
        }
    }

    /// All entries in order: one pass drops them into buckets by their leading bits, then each bucket, small
    /// enough for the first-level cache, is sorted on its own.
    pub(super) fn sorted(&self) -> Vec<Entry> {
        match &self.claims {
            Claims::Unique(table) => bucket_sort(table),
            Claims::Repeated(set) => set.iter().copied().collect(),
        }
    }
}

fn bucket_sort(table: &Table) -> Vec<Entry> {
    const BUCKET: usize = 512;
    let bits = (table.len() / BUCKET).max(1).ilog2();
    let bucket_of = |entry: &Entry| (u128::from(entry.digest.high) << bits >> 64) as usize;

    let mut ends = vec![0; 1 << bits];
    for entry in table.iter() {
        ends[bucket_of(&entry)] += 1;
    }
    let mut start = 0;
    for end in &mut ends {
        start += std::mem::replace(end, start);
    }
    let mut sorted = vec![Entry::new(Digest { high: 0, low: 0 }, 0); table.len()];
    for entry in table.iter() {
        let end = &mut ends[bucket_of(&entry)];
        sorted[*end] = entry;
        *end += 1;
    }
    let mut start = 0;
    for end in ends {
        sorted[start..end].sort_unstable();
        start = end;
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::super::table::Secret;
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};

    #[test]
    fn sorting_keeps_every_claim_and_orders_them() {
        let mut rng = SmallRng::seed_from_u64(1);
        for len in [0, 1, 2, 511, 512, 1023, 1024, 20_000] {
            let mut table = Table::new(len, Secret::new(rng.random()));
            let mut expected = Vec::new();
            for value in 1..=len as u64 {
                // A quarter shares its leading bits, so that one bucket is large.
                let high = if value % 4 == 0 { 7 } else { rng.random() };
                let entry = Entry::new(Digest { high, low: rng.random() }, value);
                table.insert(entry);
                expected.push(entry);
            }
            expected.sort();
            let generation = Generation { after: 0, through: 9, claims: Claims::Unique(table) };
            assert_eq!(generation.sorted(), expected);
        }
    }
}
