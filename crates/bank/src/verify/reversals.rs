//! Reversals: what was taken back of which entry, and in the end whether the original had that much.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ledger::{Body, Event, TransactionKind, codec};

use super::findings::{Findings, Subject};
use super::places;

/// What was taken back of one entry of one transaction.
struct Taken {
    total: i128,
    account: u64,
    side: u8,
    currency: u16,
    /// The newest reversal that took some.
    by: u64,
}

/// By original and position among its posted entries.
#[derive(Default)]
pub(super) struct Reversals {
    taken: BTreeMap<(u64, u8), Taken>,
}

impl Reversals {
    pub(super) fn add(&mut self, event: &Event, original: u64, indices: &[u8], found: &mut Findings) {
        let by = event.sequence.0;
        found.checked(Subject::Reversals);
        let paired = indices.len() == event.posted().count() && original < by;
        found.expect(paired, Subject::Reversals, by, || "it does not say what it takes back".into());
        for (index, entry) in indices.iter().zip(event.posted()) {
            let (account, side) = (entry.account.0, entry.side as u8);
            let currency = entry.currency.numeric();
            let taken = self.taken.entry((original, *index)).or_insert(Taken {
                total: 0,
                account,
                side,
                currency,
                by,
            });
            taken.total += i128::from(entry.amount);
            taken.by = by;
            let same = (taken.account, taken.side, taken.currency) == (account, side, currency);
            found.expect(same, Subject::Reversals, by, || {
                format!("entry {index} of {original} is taken back from somebody else")
            });
        }
    }

    /// Original, position and amount, in order: as a snapshot keeps them.
    pub(super) fn totals(&self) -> impl ExactSizeIterator<Item = (u64, u8, i64)> {
        self.taken.iter().map(|((original, index), taken)| (*original, *index, taken.total as i64))
    }

    /// Reads the originals, each once and in order, and compares.
    ///
    /// # Errors
    /// If the disk refuses.
    pub(super) fn settle(&self, dir: &Path, found: &mut Findings) -> io::Result<()> {
        let originals = self.originals();
        let mut seen = 0;
        places::sweep(dir, &originals, &mut |record| {
            seen += 1;
            // One that does not decode was reported by the walk.
            if let Ok(event) = codec::decode(&record.bytes) {
                self.compare(&event, found);
            }
        })?;
        Self::missing(originals.len() - seen, found);
        Ok(())
    }

    /// What was taken back, each once and in order.
    pub(super) fn originals(&self) -> Vec<u64> {
        let mut originals: Vec<u64> = self.taken.keys().map(|(original, _)| *original).collect();
        originals.dedup();
        originals
    }

    /// So many originals could not be compared.
    pub(super) fn missing(count: usize, found: &mut Findings) {
        if count > 0 {
            found.wrong(Subject::Reversals, None, format!("{count} originals are not there"));
        }
    }

    /// Compares an original with what was taken back of it.
    pub(super) fn compare(&self, original: &Event, found: &mut Findings) {
        let id = original.sequence.0;
        let reversible =
            matches!(original.body, Body::Posted { kind, .. } if kind != TransactionKind::Reversal);
        for ((_, index), taken) in self.taken.range((id, 0)..=(id, u8::MAX)) {
            let entry = original.posted().nth(usize::from(*index)).filter(|entry| {
                let mirrored = 1 - entry.side as u8;
                reversible
                    && (entry.account.0, mirrored, entry.currency.numeric())
                        == (taken.account, taken.side, taken.currency)
            });
            match entry {
                None => found.wrong(
                    Subject::Reversals,
                    taken.by,
                    format!("it takes entry {index} of {id} back, which was another one or none"),
                ),
                Some(entry) => {
                    found.expect(
                        taken.total <= i128::from(entry.amount),
                        Subject::Reversals,
                        taken.by,
                        || {
                            format!(
                                "entry {index} of {id} was {} minor units, {} are taken back",
                                entry.amount, taken.total
                            )
                        },
                    );
                }
            }
        }
    }
}
