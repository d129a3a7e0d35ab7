//! What can go wrong with run files. Nothing here loses a claim: runs are derived from the journal.

use std::io;
use std::path::{Path, PathBuf};

/// A fault of the key files, by what the caller can do about it.
///
/// None of them ever means "not claimed": a look-up that cannot be answered must stop the request.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The disk refused to read, write, sync or rename. While filing: the claims stay in memory and the
    /// filer tries again. While looking up: treat it as a fault of the store.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Bytes of a run do not check. Call [`condemn`](super::condemn) with the path and open again: the
    /// claims are rebuilt from the journal.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The run file.
        path: PathBuf,
        /// Where the bad part starts, in bytes from the start of the file.
        offset: u64,
        /// Which check failed.
        what: &'static str,
    },
    /// Writing this run would eat into the reserve; nothing was written. Make room: the filer tries again.
    #[error("{} has {free} bytes free, {needed} are needed (reserve included)", dir.display())]
    NoSpace {
        /// The folder of the runs.
        dir: PathBuf,
        /// Bytes of the run and the reserve together.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
}

impl KeysError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { doing, path, source }
    }

    pub(super) fn damaged(path: &Path, offset: u64, what: &'static str) -> Self {
        Self::Damaged { path: path.to_path_buf(), offset, what }
    }

    /// Whether the bytes are bad, so that the run must be condemned; otherwise trying again may help.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
