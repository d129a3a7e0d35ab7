//! Claims and references against their files: each file verifies, each claim that it covers leads to its
//! event and to no other, and what it does not cover is unique all the same.
//!
//! Claims come in the order of events and lie in the order of digests; they are looked up in sorted bundles,
//! so that a file is read from front to back once a bundle.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use journal::Identity;
use journal::disk::Disk;
use journal::keys::{Digest, KeysError, Opened, Options, Reason, Runs, Shelf};

use super::findings::{Findings, Subject};
use super::look::LookOnly;

/// Claims in a bundle: some 8 MiB.
const BUNDLE: usize = 1 << 18;
/// How often the files are listed again when one vanished in between: a server merges them.
const TRIES: usize = 5;

/// The files of one kind of claims.
struct Files {
    subject: Subject,
    runs: Option<Arc<Runs>>,
    covered: u64,
    entries: u64,
}

impl Files {
    fn open(
        dir: &Path,
        folder: &str,
        what: &[u8],
        subject: Subject,
        of: &Identity,
        found: &mut Findings,
    ) -> Files {
        let mut files = Files { subject, runs: None, covered: 0, entries: 0 };
        let path = dir.join(folder);
        if !LookOnly.exists(&path) {
            return files;
        }
        match open(&path, &identity(what, of)) {
            Ok(opened) => files.take(opened, folder, found),
            Err(error) => found.wrong(subject, None, error.to_string()),
        }
        files
    }

    fn take(&mut self, opened: Opened, folder: &str, found: &mut Findings) {
        for file in opened.discarded {
            let name = format!("{folder}/{}", file.name);
            match file.why {
                Reason::Unfinished | Reason::Covered => {}
                Reason::Damaged(what) => {
                    found.wrong(self.subject, None, format!("{name}: {what}; remove it, it is made again"));
                }
                Reason::BehindGap => {
                    found.note(self.subject, format!("{name} follows one that is not there"));
                }
                Reason::BeyondHead => found.wrong(self.subject, None, format!("{name} is beyond the head")),
            }
        }
        let runs = opened.shelf.runs();
        if let Err(error) = runs.verify() {
            found.wrong(self.subject, None, format!("{error}; remove it, it is made again"));
            return;
        }
        self.covered = opened.covered_through;
        self.entries = runs.entries();
        self.runs = Some(runs);
    }

    /// The walk is over at `head`, and this many claims were covered.
    fn settle(&self, head: u64, counted: u64, found: &mut Findings) {
        if self.covered > head {
            let text = format!("the files reach sequence {}, the journal ends at {head}", self.covered);
            found.wrong(self.subject, None, text);
        } else if counted != self.entries {
            let text = format!("the files hold {} entries, the journal {counted}", self.entries);
            found.wrong(self.subject, None, text);
        }
        found.note(self.subject, format!("files cover sequences up to {}", self.covered));
    }
}

/// Opens a folder without changing it. Listing and opening are two steps, and a server may merge in between.
fn open(path: &Path, identity: &[u8; 32]) -> Result<Opened, KeysError> {
    let mut tries = 0;
    loop {
        let result = Shelf::open(&LookOnly, path, Options::new(*identity, [0; 2]), u64::MAX);
        tries += 1;
        match result {
            Err(error) if !error.is_damage() && tries < TRIES => {}
            other => return other,
        }
    }
}

/// What the files of a bank are bound to.
fn identity(what: &[u8], of: &Identity) -> [u8; 32] {
    let mut name = [0; 32];
    name[..16].copy_from_slice(&ledger::Digest::over(&[what, &of.bank, &of.timeline.to_be_bytes()]).0);
    name
}

/// Unique claims.
pub(super) struct Claims {
    files: Files,
    bundle: Vec<(Digest, u64)>,
    /// Those that no file covers yet.
    recent: HashMap<[u8; 16], u64>,
    counted: u64,
}

impl Claims {
    pub(super) fn open(dir: &Path, of: &Identity, found: &mut Findings) -> Claims {
        let files = Files::open(dir, "keys", b"claims", Subject::Keys, of, found);
        Claims { files, bundle: Vec::new(), recent: HashMap::new(), counted: 0 }
    }

    /// An event claims `digest`; `value` names the event.
    pub(super) fn add(&mut self, digest: ledger::Digest, value: u64, found: &mut Findings) {
        self.bundle.push((Digest::new(digest.0), value));
        if self.bundle.len() == BUNDLE {
            self.look_up(found);
        }
    }

    fn look_up(&mut self, found: &mut Findings) {
        self.bundle.sort_unstable();
        let digests: Vec<Digest> = self.bundle.iter().map(|(digest, _)| *digest).collect();
        let mut values: Vec<Vec<u64>> = vec![Vec::new(); digests.len()];
        if let Some(runs) = &self.files.runs {
            let mut there = Vec::new();
            if let Err(error) = runs.find_batch(&digests, &mut there) {
                found.wrong(Subject::Keys, None, error.to_string());
            }
            there.into_iter().for_each(|(index, value)| values[index].push(value));
        }
        for ((digest, value), filed) in self.bundle.drain(..).zip(values) {
            found.checked(Subject::Keys);
            let sequence = sequence_of(value);
            let covered = sequence <= self.files.covered;
            let expected: &[u64] = if covered { &[value] } else { &[] };
            self.counted += u64::from(covered);
            found.expect(filed == expected, Subject::Keys, sequence, || {
                let leads: Vec<u64> = filed.iter().map(|value| sequence_of(*value)).collect();
                format!("the files lead its key {digest:?} to {leads:?}")
            });
            let earlier = if covered { None } else { self.recent.insert(digest.bytes(), value) };
            if let Some(earlier) = earlier {
                let (first, second) =
                    (sequence.min(sequence_of(earlier)), sequence.max(sequence_of(earlier)));
                found.wrong(Subject::Keys, second, format!("its key was used by {first} already"));
            }
        }
    }

    /// The walk is over at `head`, without damage.
    pub(super) fn settle(mut self, head: u64, found: &mut Findings) {
        self.look_up(found);
        self.files.settle(head, self.counted, found);
    }
}

fn sequence_of(value: u64) -> u64 {
    ledger::event::Claimed::from_value(value).sequence.0
}

/// References, which may repeat.
pub(super) struct References {
    files: Files,
    counted: u64,
}

impl References {
    pub(super) fn open(dir: &Path, of: &Identity, found: &mut Findings) -> References {
        let files = Files::open(dir, "references", b"references", Subject::References, of, found);
        References { files, counted: 0 }
    }

    /// Event `sequence` carries `reference`.
    pub(super) fn add(&mut self, reference: &str, sequence: u64, found: &mut Findings) {
        found.checked(Subject::References);
        let Some(runs) = self.files.runs.as_ref().filter(|_| sequence <= self.files.covered) else { return };
        self.counted += 1;
        let digest = Digest::new(ledger::Digest::of_reference(reference).0);
        match runs.find_all(&digest, sequence + 1, 1) {
            Ok(newest) => found.expect(newest == [sequence], Subject::References, sequence, || {
                format!("the files lead its reference {reference:?} to {newest:?}")
            }),
            Err(error) => found.wrong(Subject::References, None, error.to_string()),
        }
    }

    /// The walk is over at `head`, without damage.
    pub(super) fn settle(&self, head: u64, found: &mut Findings) {
        self.files.settle(head, self.counted, found);
    }
}
