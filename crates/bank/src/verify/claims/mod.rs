//! Claims and references against their files: what the journal claims and what the files hold are the same,
//! each claim leads to its event and to no other, and no key was used twice.
//!
//! ```text
//!  walk:   claim ─► covered by a file? ─ yes ─► + sum of its stretch of sequences
//!                                      └ no ──► recent: half its digest
//!  after:  all files, read once in the order of digests ─► − sum of the stretch
//!          neighbours that are equal, there or among the recent ─► suspects
//!  only if a sum is not zero or there are suspects: a second walk names the event
//! ```
//! Claims come in the order of events and lie in the order of digests. Looking each up where it lies costs a page
//! or two a claim; sorting them all would need as much disk again, and a verification does not write.

mod files;
mod recent;
mod stretches;
mod suspects;

use std::path::Path;

use journal::Identity;
use journal::keys::Digest;
use ledger::Event;

use super::findings::{Findings, Subject};
use files::Files;
use recent::Recent;
use stretches::Stretches;
use suspects::{Suspects, first_half};

/// Both kinds of claims of a bank.
pub(super) struct Claims {
    keys: Kind,
    recent: Recent,
    references: Kind,
}

impl Claims {
    pub(super) fn open(dir: &Path, of: &Identity, found: &mut Findings) -> Claims {
        let keys = Files::open(dir, "keys", b"claims", Subject::Keys, of, found);
        let references = Files::open(dir, "references", b"references", Subject::References, of, found);
        Claims { keys: Kind::new(keys), recent: Recent::new(), references: Kind::new(references) }
    }

    /// The walk comes by an event.
    pub(super) fn passed(&mut self, event: &Event, found: &mut Findings) {
        let Claims { keys, recent, references } = self;
        keys_of(event, |digest, value| {
            if !keys.add(digest, value, found) {
                recent.add(first_half(&digest));
            }
        });
        reference_of(event, |digest, value| _ = references.add(digest, value, found));
    }

    /// The walk is over at `head`, without damage. What it answers is to be shown each event once more.
    pub(super) fn settle(self, head: u64, found: &mut Findings) -> Again {
        let Claims { mut keys, recent, mut references } = self;
        let mut suspects = [Suspects::default(), Suspects::default()];
        let mut recent = recent.into_sorted().peekable();
        let mut last = None;
        let twice = &mut suspects[0];
        keys.read(head, found, |digest| {
            let high = first_half(&digest);
            while let Some(known) = recent.next_if(|known| *known <= high) {
                if known == high || recent.peek() == Some(&known) {
                    twice.twice(known);
                }
            }
            if last.replace(digest) == Some(digest) {
                twice.twice(high);
            }
        });
        while let Some(known) = recent.next() {
            if recent.peek() == Some(&known) {
                twice.twice(known);
            }
        }
        references.read(head, found, |_| ());
        keys.compare(&mut suspects[0], found);
        references.compare(&mut suspects[1], found);
        let [of_keys, of_references] = suspects;
        Again { keys: (keys.files, of_keys), references: (references.files, of_references) }
    }
}

/// What a second walk decides.
pub(super) struct Again {
    keys: (Files, Suspects),
    references: (Files, Suspects),
}

impl Again {
    /// Is a second walk needed?
    pub(super) fn needed(&self) -> bool {
        self.keys.1.any() || self.references.1.any()
    }

    /// The second walk comes by an event.
    pub(super) fn passed(&mut self, event: &Event, found: &mut Findings) {
        let (files, suspects) = &mut self.keys;
        keys_of(event, |digest, value| suspects.pass(digest, value, files, found));
        let (files, suspects) = &mut self.references;
        reference_of(event, |digest, value| suspects.pass(digest, value, files, found));
    }

    /// The second walk is over.
    pub(super) fn settle(self, found: &mut Findings) {
        for (files, suspects) in [self.keys, self.references] {
            suspects.settle(&files, found);
        }
    }
}

/// One kind of claims: its files, and the sums over what they should hold.
struct Kind {
    files: Files,
    stretches: Stretches,
}

impl Kind {
    fn new(files: Files) -> Kind {
        Kind { stretches: Stretches::up_to(files.covered), files }
    }

    /// False if no file covers it.
    fn add(&mut self, digest: Digest, value: u64, found: &mut Findings) -> bool {
        found.checked(self.files.subject);
        let sequence = sequence_of(value);
        let covered = sequence <= self.files.covered;
        if covered {
            self.stretches.add(sequence, digest, value);
        }
        covered
    }

    /// Reads all files once.
    fn read(&mut self, head: u64, found: &mut Findings, mut each: impl FnMut(Digest)) {
        let Kind { files, stretches } = self;
        let mut beyond = 0u64;
        files.for_each(found, |digest, value| {
            beyond += u64::from(!stretches.take(sequence_of(value), digest, value));
            each(digest);
        });
        if files.covered > head {
            let text = format!("the files reach sequence {}, the journal ends at {head}", files.covered);
            found.wrong(files.subject, None, text);
        } else if beyond > 0 {
            let text = format!("{beyond} entries of the files lead beyond what they cover");
            found.wrong(files.subject, None, text);
        }
        found.note(files.subject, format!("files cover sequences up to {}", files.covered));
    }

    fn compare(&self, suspects: &mut Suspects, found: &mut Findings) {
        let Some((stretch, stretches)) = self.stretches.differing() else { return };
        let (first, last) = (stretch.start, stretch.end - 1);
        let text = format!(
            "files and journal differ in {stretches} stretches of sequences, the first from {first} to {last}"
        );
        // The events are named by the second walk; this stands if it cannot.
        found.wrong(self.files.subject, None, text);
        suspects.differ_in(stretch);
    }
}

fn keys_of(event: &Event, mut each: impl FnMut(Digest, u64)) {
    event.claims(|digest, claimed| each(Digest::new(digest.0), claimed.to_value()));
}

fn reference_of(event: &Event, each: impl FnOnce(Digest, u64)) {
    if let Some(reference) = event.reference() {
        each(Digest::new(ledger::Digest::of_reference(reference).0), event.sequence.0);
    }
}

/// The event that a value leads to.
fn sequence_of(value: u64) -> u64 {
    ledger::event::Claimed::from_value(value).sequence.0
}
