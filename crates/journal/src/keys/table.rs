//! A flat open-addressing table of claims that never grows.
//!
//! Growing would stop the rules thread for 150-360 ms at some millions of claims (measured), so a table is
//! made for its whole life and a full one is sealed instead. Twice as many slots as claims: a miss looks at
//! 2.5 slots at the worst moment and 1.5 on average, next to each other. A slot is three words; a zero
//! value marks an empty one, which is why a claim's value is never zero and why a fresh table is zeroed memory
//! that the kernel maps only when touched.
//!
//! Digests are hashes of what customers choose, so a customer could search for keys that share a digest's
//! leading bits and make everyone's probes long. Home slots therefore depend on a secret of this process.
//! (Home slots by leading bits would have made sealing almost free of sorting: not worth the door.)

use super::digest::{Digest, Entry};

type Slot = [u64; 3];

pub(super) struct Table {
    slots: Vec<Slot>,
    len: usize,
    secret: Secret,
}

/// Where this process places digests. Never written anywhere; results do not depend on it.
#[derive(Clone, Copy)]
pub(super) struct Secret {
    high: u64,
    low: u64,
}

impl Secret {
    pub(super) fn new(seed: [u64; 2]) -> Self {
        Self { high: seed[0], low: seed[1] }
    }

    fn hash(self, digest: &Digest) -> u64 {
        let product = u128::from(digest.high ^ self.high) * u128::from(digest.low ^ self.low);
        (product >> 64) as u64 ^ product as u64
    }
}

impl Table {
    /// A table meant for `claims` claims; it takes twice as many before it panics.
    pub(super) fn new(claims: usize, secret: Secret) -> Self {
        Self { slots: vec![[0; 3]; (claims * 2).max(16)], len: 0, secret }
    }

    /// Makes the kernel map every page now, so that inserts do not pay for it. For a background thread.
    pub(super) fn map_pages(&mut self) {
        const SLOTS_A_PAGE: usize = 4096 / size_of::<Slot>();
        for slot in self.slots.iter_mut().step_by(SLOTS_A_PAGE) {
            *slot = std::hint::black_box([0; 3]);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }

    fn home(&self, digest: &Digest) -> usize {
        ((u128::from(self.secret.hash(digest)) * self.slots.len() as u128) >> 64) as usize
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<u64> {
        let mut at = self.home(digest);
        loop {
            let [high, low, value] = self.slots[at];
            if value == 0 {
                return None;
            }
            if high == digest.high && low == digest.low {
                return Some(value);
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    /// Adds a claim whose digest is not there yet.
    pub(super) fn insert(&mut self, entry: Entry) {
        assert!(entry.value != 0, "a claim maps to a sequence, and sequences start at 1");
        // One slot stays empty, or a look-up would never end.
        assert!(self.len + 1 < self.slots.len(), "a batch claimed far more than its limit");
        let mut at = self.home(&entry.digest);
        while self.slots[at][2] != 0 {
            debug_assert!(self.slots[at][..2] != [entry.digest.high, entry.digest.low], "claimed twice");
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
        self.slots[at] = [entry.digest.high, entry.digest.low, entry.value];
        self.len += 1;
    }

    /// Reads the home slots of all these digests without waiting for any of them, so that their cache
    /// misses overlap. Both ends of a slot, since one slot in four lies across two cache lines.
    pub(super) fn touch(&self, digests: &[Digest]) {
        let mut seen = 0;
        for digest in digests {
            let slot = &self.slots[self.home(digest)];
            seen ^= slot[0] ^ slot[2];
        }
        std::hint::black_box(seen);
    }

    /// The claims in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> {
        self.slots
            .iter()
            .filter(|slot| slot[2] != 0)
            .map(|&[high, low, value]| Entry::new(Digest { high, low }, value))
    }
}
