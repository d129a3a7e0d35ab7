//! What can go wrong, one enumeration an operation: each case is something else for the caller to do.

use std::io;
use std::path::{Path, PathBuf};

/// Where a journal is damaged and what was found there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}, offset {offset}, sequence {sequence}: {what}")]
pub struct Damage {
    /// The segment's number.
    pub segment: u64,
    /// The byte offset in the segment, of the frame or the record.
    pub offset: u64,
    /// The sequence expected there.
    pub sequence: u64,
    /// What does not hold.
    pub what: &'static str,
}

/// Why a folder was not created or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no journal in the folder.
    #[error("{} holds no bank: name the right data folder, or create one", dir.display())]
    NotABank {
        /// The folder looked at.
        dir: PathBuf,
    },
    /// [`create`](crate::Folder::create) found a journal, or something that might be one.
    #[error("{} already holds a journal: open it, or create the bank in another folder", dir.display())]
    Exists {
        /// The folder looked at.
        dir: PathBuf,
    },
    /// The folder was written by a program with another format.
    #[error(
        "the journal has format {found}, this program reads 1: run the version that wrote it, or migrate"
    )]
    OtherVersion {
        /// The version found.
        found: u32,
    },
    /// Another process has the folder open.
    #[error("{} is in use by another process: stop it, or talk to it", dir.display())]
    Locked {
        /// The folder looked at.
        dir: PathBuf,
    },
    /// The folder cannot be written.
    #[error("{} cannot be written: check its owner, its mode and how it is mounted", path.display())]
    ReadOnly {
        /// The path that refused.
        path: PathBuf,
    },
    /// `IDENTITY` is not what was written.
    #[error("{} is damaged: restore it from a backup of this folder", path.display())]
    IdentityDamaged {
        /// The file.
        path: PathBuf,
    },
    /// Acknowledged bytes are missing or changed. Nothing was written.
    #[error("the journal is damaged at {0}: do not start; restore this segment from a replica or a backup")]
    Damage(Damage),
    /// The chain does not pass through the head given to [`recover`](crate::Folder::recover). Nothing was written.
    #[error(
        "the snapshot at sequence {sequence} is not of this journal: start from an older one, or without"
    )]
    SnapshotMismatch {
        /// The sequence of the head given.
        sequence: u64,
    },
    /// There is no room for the one segment that opening needs.
    #[error("no space left for {}: free some, then start again", path.display())]
    NoSpace {
        /// The file that did not fit.
        path: PathBuf,
    },
    /// The options contradict each other.
    #[error("the journal's options do not fit together: {0}")]
    Options(&'static str),
    /// The disk refused a call.
    #[error("cannot {what} {}: {source}; check the disk, then start again", path.display())]
    Io {
        /// The path of the call.
        path: PathBuf,
        /// The call, as a verb.
        what: &'static str,
        /// The disk's answer.
        source: io::Error,
    },
}

impl OpenError {
    /// Sorts a failed call into its remedy.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        let path = path.to_path_buf();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => OpenError::NoSpace { path },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                OpenError::ReadOnly { path }
            }
            _ => OpenError::Io { path, what, source },
        }
    }
}

/// Why a batch was not made durable.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// A write or sync failed, now or earlier. What became of the bytes is unknown until the journal is opened again;
    /// no later call will succeed.
    #[error("the journal stopped after a failed write ({cause}): restart to learn what is durable")]
    Poisoned {
        /// The first failure.
        cause: String,
    },
    /// There is no segment to write to and none can be made. Nothing was written and the batch is as it was: append it
    /// again when [`Capacity::ready`](crate::Capacity::ready) says so.
    #[error(transparent)]
    Full(#[from] Full),
    /// The batch is larger than a frame may be. Nothing was written.
    #[error("a frame of {bytes} bytes is over the limit of {limit}: split the batch")]
    TooLarge {
        /// The frame's bytes.
        bytes: u64,
        /// [`Options::frame_bytes_max`](crate::Options::frame_bytes_max).
        limit: u64,
    },
    /// A record does not carry the next sequence: a bug of the caller. Nothing was written.
    #[error("a record has sequence {found} where {expected} is next")]
    Sequence {
        /// The next sequence.
        expected: u64,
        /// The record's.
        found: u64,
    },
}

/// New work is refused because the disk is nearly full; reads go on, and it clears by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// Free space fell under the reserve.
    #[error(
        "the disk is nearly full ({free} bytes free, {needed} needed): free some; writes resume by themselves"
    )]
    Reserve {
        /// Bytes free.
        free: u64,
        /// Bytes needed for one more segment above the reserve.
        needed: u64,
    },
    /// A new segment could not be made.
    #[error("no new segment can be made ({0}): mend the disk or free space; writes resume by themselves")]
    Refused(io::ErrorKind),
}

/// Why a record was not read. A fault of the disk, never of the caller.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are there but are not what was written.
    #[error("the journal is damaged at {0}: stop, and restore this segment from a replica or a backup")]
    Damage(Damage),
    /// The disk refused the read.
    #[error("cannot read segment {segment}: {source}; check the disk")]
    Io {
        /// The segment's number.
        segment: u64,
        /// The disk's answer.
        source: io::Error,
    },
}
