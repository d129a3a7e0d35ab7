//! Sidecars compared with what the walk found in their segments.
//!
//! A start trusts a sidecar as far as its checksum goes, so one that checks and says something else is wrong. One that
//! does not check harms nobody (they are written without a sync): the next start makes it again.

use crate::chain::Head;
use crate::disk::Disk;
use crate::identity::Identity;
use crate::index::{SegmentIndex, Table, has_entry};
use crate::record::Record;
use crate::sidecar;
use std::path::Path;

/// What the walk found about sidecars, by segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sidecars {
    /// How many say what their segment says.
    pub sound: u64,
    /// Sealed segments without one, or with one that does not check: a start reads the segment and makes it again.
    pub missing: Vec<u64>,
    /// Those that check and say something else than their segment.
    pub wrong: Vec<u64>,
}

/// The index of the segment that is being walked, made anew.
pub(super) struct Made {
    number: u64,
    bytes: u64,
    first: u64,
    before: [u8; 32],
    offsets: Vec<u32>,
}

impl Made {
    /// Segment `number`, `bytes` long, begins after `head`.
    pub(super) fn new(number: u64, bytes: u64, head: &Head) -> Made {
        Made { number, bytes, first: head.sequence + 1, before: head.hash, offsets: Vec::new() }
    }

    pub(super) fn record(&mut self, at: u64, record: &Record<'_>) {
        if has_entry(record.sequence(), self.first) {
            self.offsets.push(at as u32);
        }
    }

    /// The segment gets no more frames; the chain after it is `head`.
    pub(super) fn compare<D: Disk>(
        self,
        disk: &D,
        journal: &Path,
        identity: &Identity,
        head: &Head,
        found: &mut Sidecars,
    ) {
        let number = self.number;
        let Some(sidecar) = sidecar::read(disk, journal, identity, number) else {
            return found.missing.push(number);
        };
        let SegmentIndex { bytes, first, before, .. } = sidecar;
        let table = Table { end: head.sequence + 1, after: head.hash, offsets: self.offsets };
        if (bytes, first, before) == (self.bytes, self.first, self.before) && sidecar.table() == table {
            found.sound += 1;
        } else {
            found.wrong.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimDisk;

    const ME: Identity = Identity { bank: [1; 16], timeline: 1 };

    fn made(offsets: &[u32]) -> Made {
        let mut made = Made::new(3, 1 << 20, &Head { sequence: 40, hash: [4; 32] });
        made.offsets = offsets.to_vec();
        made
    }

    #[test]
    fn one_that_checks_and_says_something_else_is_wrong() {
        let disk = SimDisk::new();
        let journal = Path::new("journal");
        disk.create_dir_all(journal).unwrap();
        let after = Head { sequence: 60, hash: [6; 32] };
        let compare = |made: Made| {
            let mut found = Sidecars::default();
            made.compare(&disk, journal, &ME, &after, &mut found);
            (found.sound, found.missing, found.wrong)
        };
        assert_eq!(compare(made(&[4224, 8448])), (0, vec![3], vec![]));

        let table = Table { end: 61, after: after.hash, offsets: vec![4224, 8448] };
        let index = SegmentIndex::with_table(3, 1 << 20, 41, [4; 32], table);
        sidecar::write(&disk, journal, &ME, &index).unwrap();
        assert_eq!(compare(made(&[4224, 8448])), (1, vec![], vec![]));
        assert_eq!(compare(made(&[4224, 8512])), (0, vec![], vec![3]));
    }
}
