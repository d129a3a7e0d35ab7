//! Opens a folder of runs: keeps what covers sequences from 1 on without a gap, discards the rest.
//!
//! Everything here can be rebuilt from the journal, so a doubtful file is removed rather than reasoned about.
//! What can be found: leftovers of a merge that was cut short (their range lies inside a run that is
//! there), a temporary file, a damaged run (its inputs, if they are still there, serve instead), runs behind a
//! gap, and runs beyond the journal's head, which only a journal that lost its tail can cause.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::KeysError;
use super::format::Range;
use super::run::Run;
use super::shelf::{Options, Shelf};
use crate::disk::Disk;

/// What opening a folder found.
pub struct Opened {
    /// The shelf, with every usable run on it.
    pub shelf: Shelf,
    /// The claims of all sequences up to and including this one are in runs; those of later ones must be
    /// inserted again. 0: all.
    pub covered_through: u64,
    /// Files that were removed, with the reason. Leftovers of a merge are routine; others deserve an alert.
    pub discarded: Vec<Discarded>,
}

/// A file that was removed while opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// The file's name.
    pub name: String,
    /// Why it is not used.
    pub why: Reason,
}

/// Why a file is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A file that was being written when the process ended.
    Unfinished,
    /// Its range is covered by another run: the input of a merge that was complete.
    Covered,
    /// It does not check; the text says how.
    Damaged(String),
    /// A run before it is missing or damaged.
    BehindGap,
    /// It covers sequences that the journal does not have.
    BeyondHead,
}

impl Shelf {
    /// Opens the runs in `dir`, made if absent. `head` is the journal's last durable sequence.
    ///
    /// An error is the disk's: nothing was decided, opening again may help. Damage is no error here; it only
    /// lowers `covered_through`.
    pub fn open<D: Disk>(disk: &D, dir: &Path, options: Options, head: u64) -> Result<Opened, KeysError> {
        disk.create_dir_all(dir).map_err(KeysError::io("create", dir))?;
        let (mut ranges, mut discarded) = (Vec::new(), Vec::new());
        for name in disk.list(dir).map_err(KeysError::io("list", dir))? {
            if let Some(range) = Range::parse(&name) {
                ranges.push(range);
            } else if name.ends_with(".tmp") {
                discarded.push(Discarded { name, why: Reason::Unfinished });
            }
        }
        // Of runs that start together the longest comes first: its inputs are next in line if it is damaged.
        ranges.sort_unstable_by_key(|range| (range.first, std::cmp::Reverse(range.last)));

        let mut covered = 0;
        let mut runs = Vec::new();
        for range in ranges {
            let why = if range.last <= covered {
                Reason::Covered
            } else if range.first != covered + 1 {
                Reason::BehindGap
            } else if range.last > head {
                Reason::BeyondHead
            } else {
                match Run::open(disk, &dir.join(range.file_name()), &options.identity) {
                    Ok(run) => {
                        covered = range.last;
                        runs.push(Arc::new(run));
                        continue;
                    }
                    Err(error) if error.is_damage() => Reason::Damaged(error.to_string()),
                    Err(error) => return Err(error),
                }
            };
            discarded.push(Discarded { name: range.file_name(), why });
        }
        remove(disk, dir, &discarded)?;
        Ok(Opened { shelf: Shelf::new(options, runs), covered_through: covered, discarded })
    }
}

/// Removed for good before anything is answered: a run beyond the head must not reappear when the journal has
/// reached its range again with other claims.
fn remove<D: Disk>(disk: &D, dir: &Path, discarded: &[Discarded]) -> Result<(), KeysError> {
    for Discarded { name, why } in discarded {
        match why {
            Reason::Unfinished | Reason::Covered => tracing::debug!(%name, ?why, "key file removed"),
            _ => tracing::warn!(%name, ?why, "key file removed: its claims are rebuilt from the journal"),
        }
        let path = dir.join(name);
        disk.remove(&path).map_err(KeysError::io("remove", &path))?;
    }
    if discarded.is_empty() { Ok(()) } else { disk.sync_dir(dir).map_err(KeysError::io("sync", dir)) }
}

/// Takes a damaged run ([`KeysError::Damaged`]) out of use for the next opening, which then rebuilds its claims;
/// the file is kept as `.bad` for whoever wants to know what happened to it. A process that has the run
/// open keeps using it, with the same errors.
pub fn condemn<D: Disk>(disk: &D, run: &Path) -> Result<PathBuf, KeysError> {
    let bad = run.with_extension("bad");
    disk.rename(run, &bad).map_err(KeysError::io("rename", run))?;
    let dir = run.parent().expect("a run lies in a folder");
    disk.sync_dir(dir).map_err(KeysError::io("sync", dir))?;
    Ok(bad)
}
