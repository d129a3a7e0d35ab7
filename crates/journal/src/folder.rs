//! The data folder: created once, locked by one process, told apart from any other by its `IDENTITY`.
//!
//! Creation writes `IDENTITY` last, so a crash half-way leaves a folder that is no bank yet and that creation finishes
//! when it is asked again. A folder with a used journal but without `IDENTITY` is never touched: that is a bank that
//! lost a file, not a new one.

use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::error::OpenError;
use crate::identity::{Identity, Misread};
use crate::layout::{
    FIRST_FRAME, IDENTITY_FILE, LOCK_FILE, is_zero, journal_dir, number_in, segment_path, unfinished_path,
};
use crate::options::Options;
use crate::record::Record;
use crate::recover::{Journal, Recovery, recover};
use crate::segment::{self, SegmentHeader};
use std::io;
use std::path::{Path, PathBuf};

const IDENTITY_BYTES_MAX: u64 = 4096;

/// A locked data folder that holds a journal. The lock lives on in the journal that [`Folder::recover`] returns.
pub struct Folder<D: Disk> {
    pub(crate) disk: D,
    pub(crate) dir: PathBuf,
    pub(crate) identity: Identity,
    pub(crate) options: Options,
    pub(crate) lock: D::File,
}

impl<D: Disk> Folder<D> {
    /// Makes a journal in a folder, which may be missing or hold other files. Finishes what a crash left half-made.
    ///
    /// # Errors
    /// `Exists` if there is a journal or the remains of one; else as for [`Folder::open`].
    pub fn create(disk: D, dir: &Path, identity: Identity, options: Options) -> Result<Self, OpenError> {
        options.check()?;
        make_dir(&disk, dir)?;
        let lock = lock(&disk, dir)?;
        let journal = journal_dir(dir);
        if Self::is_journal(&disk, dir) || (disk.exists(&journal) && !clear_unused(&disk, &journal)?) {
            return Err(OpenError::Exists { dir: dir.to_path_buf() });
        }
        make_dir(&disk, &journal)?;
        let header = SegmentHeader { identity, number: 1, bytes: options.segment_bytes };
        segment::make(&disk, &journal, &header)
            .map_err(OpenError::io("create", &segment_path(&journal, 1)))?;
        write_identity(&disk, dir, identity)?;
        Ok(Self { disk, dir: dir.to_path_buf(), identity, options, lock })
    }

    /// Opens and locks a folder that holds a journal; nothing of the journal is read yet.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(disk: D, dir: &Path, options: Options) -> Result<Self, OpenError> {
        options.check()?;
        if !Self::is_journal(&disk, dir) {
            return Err(OpenError::NotABank { dir: dir.to_path_buf() });
        }
        let identity = read_identity(&disk, dir)?;
        let lock = lock(&disk, dir)?;
        Ok(Self { disk, dir: dir.to_path_buf(), identity, options, lock })
    }

    /// Whose journal it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether the folder holds a journal (perhaps a damaged one).
    pub fn is_journal(disk: &D, dir: &Path) -> bool {
        disk.exists(&dir.join(IDENTITY_FILE))
    }

    /// Walks the journal, mends its tail, and calls `replay` for each record above `after`, in order. With `after`
    /// (a snapshot's head) the chain must pass through exactly that head, and sealed segments at or below it are known
    /// from their sidecars instead of being read.
    ///
    /// What was replayed must be thrown away if an error is returned. What an `Ok` has shown is durable.
    ///
    /// # Errors
    /// See [`OpenError`]. Nothing is written if it is `Damage`, `SnapshotMismatch` or `OtherVersion`.
    pub fn recover(
        self,
        after: Option<Head>,
        replay: &mut dyn FnMut(Record<'_>),
    ) -> Result<(Journal<D>, Recovery), OpenError> {
        recover(self, after, replay)
    }
}

/// Makes a folder, and makes the names that lead to it durable: its own always, since an earlier attempt may have ended
/// between making and syncing it, and those above it that were missing.
fn make_dir<D: Disk>(disk: &D, dir: &Path) -> Result<(), OpenError> {
    let above = dir.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
    let missing = above.take_while(|path| !disk.exists(path)).count();
    disk.create_dir_all(dir).map_err(OpenError::io("create", dir))?;
    for parent in dir.ancestors().skip(1).take(missing + 1) {
        disk.sync_dir(parent).map_err(OpenError::io("sync", parent))?;
    }
    Ok(())
}

fn lock<D: Disk>(disk: &D, dir: &Path) -> Result<D::File, OpenError> {
    let path = dir.join(LOCK_FILE);
    disk.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OpenError::Locked { dir: dir.to_path_buf() },
        _ => OpenError::io("lock", &path)(error),
    })
}

/// Removes the remains of an unfinished creation; `false` if they are more than that.
fn clear_unused<D: Disk>(disk: &D, journal: &Path) -> Result<bool, OpenError> {
    let names = disk.list(journal).map_err(OpenError::io("list", journal))?;
    if names.iter().any(|name| number_in(name, "seg").or(number_in(name, "new")) != Some(1)) {
        return Ok(false);
    }
    let segment = segment_path(journal, 1);
    if disk.exists(&segment) && !is_unused(disk, &segment)? {
        return Ok(false);
    }
    for path in [segment, unfinished_path(journal, 1)] {
        if disk.exists(&path) {
            disk.remove(&path).map_err(OpenError::io("remove", &path))?;
        }
    }
    Ok(true)
}

fn is_unused<D: Disk>(disk: &D, path: &Path) -> Result<bool, OpenError> {
    let file = disk.open_read(path).map_err(OpenError::io("open", path))?;
    let end = file.len().map_err(OpenError::io("measure", path))?;
    let mut chunk = vec![0; 1 << 20];
    let mut at = FIRST_FRAME;
    while at < end {
        let bytes = &mut chunk[..(end - at).min(1 << 20) as usize];
        file.read_exact_at(bytes, at).map_err(OpenError::io("read", path))?;
        if !is_zero(bytes) {
            return Ok(false);
        }
        at += bytes.len() as u64;
    }
    Ok(true)
}

fn write_identity<D: Disk>(disk: &D, dir: &Path, identity: Identity) -> Result<(), OpenError> {
    let (path, draft) = (dir.join(IDENTITY_FILE), dir.join("IDENTITY.new"));
    if disk.exists(&draft) {
        disk.remove(&draft).map_err(OpenError::io("remove", &draft))?;
    }
    let file = disk.create_new(&draft).map_err(OpenError::io("create", &draft))?;
    file.write_all_at(identity.to_text().as_bytes(), 0).map_err(OpenError::io("write", &draft))?;
    file.sync_all().map_err(OpenError::io("sync", &draft))?;
    disk.rename(&draft, &path).map_err(OpenError::io("rename", &draft))?;
    disk.sync_dir(dir).map_err(OpenError::io("sync", dir))
}

pub(crate) fn read_identity<D: Disk>(disk: &D, dir: &Path) -> Result<Identity, OpenError> {
    let path = dir.join(IDENTITY_FILE);
    let file = disk.open_read(&path).map_err(OpenError::io("open", &path))?;
    let length = file.len().map_err(OpenError::io("measure", &path))?;
    let mut text = vec![0; length.min(IDENTITY_BYTES_MAX) as usize];
    file.read_exact_at(&mut text, 0).map_err(OpenError::io("read", &path))?;
    Identity::from_text(&text).map_err(|misread| match misread {
        Misread::Version(found) => OpenError::OtherVersion { found },
        Misread::Damaged => OpenError::IdentityDamaged { path },
    })
}
