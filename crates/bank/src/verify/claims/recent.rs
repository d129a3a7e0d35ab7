//! Claims that no file covers yet, eight bytes each, to see whether one stands twice.
//!
//! There are some two million of them in an ordinary bank. Where the key files are lost it is all of them, in parts
//! that are sorted one after the other. Half a digest is kept: a pair
//! that agrees in it is a suspicion, which a second look decides.

/// Parts, by the digest's first bits.
const PARTS_BITS: u32 = 8;

pub(super) struct Recent {
    parts: Vec<Vec<u64>>,
}

impl Recent {
    pub(super) fn new() -> Recent {
        Recent { parts: vec![Vec::new(); 1 << PARTS_BITS] }
    }

    /// `high` is the first half of a digest.
    pub(super) fn add(&mut self, high: u64) {
        let part = &mut self.parts[(high >> (u64::BITS - PARTS_BITS)) as usize];
        if part.len() == part.capacity() {
            // All parts grow at the same time, and doubling would hold twice of what is needed.
            part.reserve_exact(part.len() / 8 + 64);
        }
        part.push(high);
    }

    /// All of them in order.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = u64> {
        self.parts.into_iter().flat_map(|mut part| {
            part.sort_unstable();
            part
        })
    }
}
