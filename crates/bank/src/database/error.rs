//! What can be wrong with the bank database. One variant for each thing that the operator can do.

use std::path::{Path, PathBuf};

use sqlx::error::DatabaseError as _;
use sqlx::sqlite::SqliteError;

use crate::store::mysql::{Meaning, meaning, number, words};

/// Where a bank database is; its dialect follows from that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// The database in which the books are, as `host:port/name`.
    Server(Box<str>),
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Place {
        Place::File(path.to_owned())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Server(name) => write!(f, "the database {name}"),
        }
    }
}

/// Why the bank database cannot be used. Each message is one line and ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no file.
    #[error("{place} is missing; restore it from a backup, or name the right data folder")]
    Missing {
        /// The file.
        place: Place,
    },
    /// Asked to make a database where a file already is.
    #[error("{place} exists already; open it, or name an empty data folder")]
    Exists {
        /// The file.
        place: Place,
    },
    /// Another program holds what is needed.
    #[error("{place} is locked by another program; close it and try again")]
    Locked {
        /// Where.
        place: Place,
    },
    /// The server does not answer.
    #[error("{place} does not answer ({detail}); check the server and the way to it, then try again")]
    Unreachable {
        /// Where.
        place: Place,
        /// What was reported.
        detail: String,
    },
    /// It cannot be written.
    #[error("{place} cannot be written; make it and its folder writable for this user")]
    ReadOnly {
        /// Where.
        place: Place,
    },
    /// The database user lacks a right.
    #[error("the user may not do this in {place} ({detail}); give the right to the database user")]
    Privilege {
        /// Where.
        place: Place,
        /// What the server said.
        detail: String,
    },
    /// The disk is full.
    #[error("no space left for {place}; free some disk space and try again")]
    Full {
        /// Where.
        place: Place,
    },
    /// Not a database of ours as it was made.
    #[error("{place} is damaged ({detail}); restore it from a backup")]
    Corrupt {
        /// Where.
        place: Place,
        /// What was found.
        detail: String,
    },
    /// A SQLite database, but not one of bankcore.
    #[error("{place} is not a bank database; name the right data folder")]
    Foreign {
        /// The file.
        place: Place,
    },
    /// The database of another bank.
    #[error(
        "{place} belongs to bank {found}, the books to bank {expected}; put the two that belong together in one data folder"
    )]
    OtherBank {
        /// Where.
        place: Place,
        /// The bank in it, in hexadecimal.
        found: String,
        /// The bank of the books, in hexadecimal.
        expected: String,
    },
    /// A folder's keys and records beside a database that has its own.
    #[error(
        "{place} has API keys and audit records that the database of the books does not have, and that has some of \
         its own; move the file away and keep it, then make its keys anew with `bankcore key create`"
    )]
    TwoTrails {
        /// The file.
        place: Place,
    },
    /// The schema was written by a newer bankcore.
    #[error("{place} has schema {found}, this bankcore knows {known}; start the newer bankcore")]
    Newer {
        /// Where.
        place: Place,
        /// The schema in it.
        found: i64,
        /// The newest schema that this binary knows.
        known: i64,
    },
    /// The applied migrations are not those of this binary.
    #[error(
        "{place}: migration {version} was applied from another source; start the bankcore that made it, or restore a backup"
    )]
    Altered {
        /// Where.
        place: Place,
        /// The migration that differs.
        version: i64,
    },
    /// A write broke a constraint or a trigger of the schema.
    #[error("{place} refused a change ({detail}); nothing was changed, report this as a bug")]
    Refused {
        /// Where.
        place: Place,
        /// What the database said.
        detail: String,
    },
    /// The operating system or the driver failed.
    #[error("{place} failed ({detail}); check the disk and the system log, then start again")]
    Failed {
        /// Where.
        place: Place,
        /// What was reported.
        detail: String,
    },
}

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); an extended code has them in its
// low byte.
const PERM: i64 = 3;
const BUSY: i64 = 5;
const LOCKED: i64 = 6;
const READONLY: i64 = 8;
const CORRUPT: i64 = 11;
const FULL: i64 = 13;
const CONSTRAINT: i64 = 19;
const NOTADB: i64 = 26;

impl DatabaseError {
    /// What an error of the driver means for the database at `place`.
    pub fn from_driver(place: impl Into<Place>, error: sqlx::Error) -> DatabaseError {
        let place = place.into();
        match (&error, &place) {
            (sqlx::Error::Decode(e) | sqlx::Error::ColumnDecode { source: e, .. }, _) => {
                DatabaseError::Corrupt { place, detail: one_line(&e.to_string()) }
            }
            // Every connection waits for a writer.
            (sqlx::Error::PoolTimedOut, Place::File(_)) => DatabaseError::Locked { place },
            (_, Place::File(_)) => DatabaseError::from_sqlite(place, &error),
            (_, Place::Server(_)) => DatabaseError::from_server(place, &error),
        }
    }

    fn from_sqlite(place: Place, error: &sqlx::Error) -> DatabaseError {
        let Some(sqlite) = error.as_database_error().and_then(|e| e.try_downcast_ref::<SqliteError>()) else {
            return DatabaseError::Failed { place, detail: one_line(&error.to_string()) };
        };
        let detail = one_line(sqlite.message());
        let code = sqlite.code().and_then(|c| c.parse::<i64>().ok()).unwrap_or(0);
        match code & 0xff {
            BUSY | LOCKED => DatabaseError::Locked { place },
            READONLY | PERM => DatabaseError::ReadOnly { place },
            FULL => DatabaseError::Full { place },
            CORRUPT | NOTADB => DatabaseError::Corrupt { place, detail },
            CONSTRAINT => DatabaseError::Refused { place, detail },
            _ => DatabaseError::Failed { place, detail },
        }
    }

    /// The same classes of errors as for the books.
    fn from_server(place: Place, error: &sqlx::Error) -> DatabaseError {
        let detail = one_line(&words(error));
        match (meaning(error), number(error)) {
            (Meaning::Again, _) => DatabaseError::Locked { place },
            (Meaning::Lost, _) => DatabaseError::Unreachable { place, detail },
            (_, Some(1044 | 1045 | 1142 | 1143 | 1227 | 1370)) => DatabaseError::Privilege { place, detail },
            (_, Some(1021 | 1114)) => DatabaseError::Full { place },
            (_, Some(1054 | 1146 | 1305)) => DatabaseError::Corrupt { place, detail },
            // Unique keys, foreign keys, CHECK constraints of both servers, triggers; what does not fit a column.
            (_, Some(1062 | 1451 | 1452 | 3819 | 4025 | 1644 | 1406 | 1264 | 1048)) => {
                DatabaseError::Refused { place, detail }
            }
            _ => DatabaseError::Failed { place, detail },
        }
    }

    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> DatabaseError {
        use std::io::ErrorKind;
        let place = Place::from(path);
        match error.kind() {
            ErrorKind::NotFound => DatabaseError::Missing { place },
            ErrorKind::AlreadyExists => DatabaseError::Exists { place },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DatabaseError::ReadOnly { place },
            ErrorKind::StorageFull => DatabaseError::Full { place },
            _ => DatabaseError::Failed { place, detail: one_line(&error.to_string()) },
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
