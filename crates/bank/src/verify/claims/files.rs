//! The files of one kind of claims: opened without changing them, each checked from end to end.

use std::path::Path;
use std::sync::Arc;

use journal::Identity;
use journal::disk::Disk;
use journal::keys::{Digest, KeysError, Opened, Options, Reason, Runs, Shelf};

use super::super::findings::{Findings, Subject};
use super::super::look::LookOnly;

/// How often the files are listed again when one vanished in between: a server merges them.
const TRIES: usize = 5;

/// The files that were there when the verification began; a server may merge and remove them meanwhile.
pub(super) struct Files {
    pub(super) subject: Subject,
    runs: Option<Arc<Runs>>,
    /// The last sequence that they cover.
    pub(super) covered: u64,
}

impl Files {
    pub(super) fn open(
        dir: &Path,
        folder: &str,
        what: &[u8],
        subject: Subject,
        of: &Identity,
        found: &mut Findings,
    ) -> Files {
        let mut files = Files { subject, runs: None, covered: 0 };
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
        self.runs = Some(runs);
    }

    /// Calls `each` with every entry, in order. An error of the disk is reported; false then.
    pub(super) fn for_each(&self, found: &mut Findings, each: impl FnMut(Digest, u64)) -> bool {
        let Some(runs) = &self.runs else { return true };
        let read = runs.for_each(each);
        if let Err(error) = &read {
            found.wrong(self.subject, None, error.to_string());
        }
        read.is_ok()
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
