//! Why a bank cannot be moved. Each is one line with a remedy.

use crate::database::DatabaseError;
use crate::sequencer::Fault;
use crate::store::journal as folder;
use crate::store::mysql::{self, import::ImportError};

/// Why a bank was not moved; the target is no bank that is served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// From and to are one.
    #[error("source and target are the same; name another target")]
    Same,
    /// The source does not hold.
    #[error(
        "{place} is damaged ({damage}); restore it from a backup and start again, `bankcore verify` shows all of it"
    )]
    Damaged {
        /// Where.
        place: String,
        /// Segment and offset, or table and row, and what is wrong.
        damage: String,
    },
    /// The source went on meanwhile.
    #[error("the books in {place} went on while they were copied; stop its services, then start again")]
    WentOn {
        /// Where.
        place: String,
    },
    /// The source is itself the target of a copy.
    #[error("{place} holds an unfinished copy; finish that first, with the source that it comes from")]
    Unfinished {
        /// Where.
        place: String,
    },
    /// There is something in the target.
    #[error("{place} is not empty ({what}); name an empty folder or database")]
    NotEmpty {
        /// Where.
        place: String,
        /// What was found.
        what: String,
    },
    /// The target is an unfinished copy of another bank.
    #[error("{place} holds an unfinished copy of another bank or another history; name an empty one")]
    OtherCopy {
        /// Where.
        place: String,
    },
    /// Another process fills the target.
    #[error("another process copies into {place}; wait until it has ended")]
    InUse {
        /// Where.
        place: String,
    },
    /// The target cannot be written.
    #[error("{place} cannot be written: {why}; mend the cause, then start again: it goes on where it was")]
    Write {
        /// Where.
        place: String,
        /// What was said.
        why: String,
    },
    /// The journal of a folder.
    #[error(transparent)]
    Journal(#[from] journal::OpenError),
    /// The books in a folder.
    #[error(transparent)]
    Folder(#[from] folder::OpenError),
    /// The books in a database.
    #[error(transparent)]
    Database(#[from] mysql::OpenError),
    /// The bank database.
    #[error(transparent)]
    People(#[from] DatabaseError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}; raise the limit on processes, then start again")]
    Thread(std::io::Error),
}

impl Error {
    pub(super) fn of_import(place: impl ToString, error: ImportError) -> Error {
        let place = place.to_string();
        match error {
            ImportError::NotEmpty => Error::NotEmpty { place, what: "it holds a bank".into() },
            ImportError::OtherBank => Error::OtherCopy { place },
            ImportError::InUse => Error::InUse { place },
            ImportError::Open(error) => Error::Database(error),
        }
    }

    pub(super) fn of_fault(place: impl ToString, fault: &Fault) -> Error {
        Error::Write { place: place.to_string(), why: fault.to_string() }
    }

    pub(super) fn of_io(place: impl ToString, error: &std::io::Error) -> Error {
        Error::Write { place: place.to_string(), why: error.to_string() }
    }
}
