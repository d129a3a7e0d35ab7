//! What can be wrong with the bank database. One variant for each thing that the operator can do.

use std::path::{Path, PathBuf};

use sqlx::error::DatabaseError as _;
use sqlx::sqlite::SqliteError;

/// Why the bank database cannot be used. Each message is one line and ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// There is no file.
    #[error("{} is missing; restore it from a backup, or name the right data folder", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Asked to make a database where a file already is.
    #[error("{} exists already; open it, or name an empty data folder", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the file.
    #[error("{} is locked by another program; close it and try again", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("{} cannot be written; make the file and its folder writable for this user", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("no space left for {}; free some disk space and try again", .path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Not a SQLite database, or a damaged one.
    #[error("{} is damaged ({detail}); restore it from a backup", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// A SQLite database, but not one of bankcore.
    #[error("{} is not a bank database; name the right data folder", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The database of another bank.
    #[error(
        "{} belongs to bank {found}, the journal to bank {expected}; put the two that belong together in one data folder",
        .path.display()
    )]
    OtherBank {
        /// The file.
        path: PathBuf,
        /// The bank in the file, in hexadecimal.
        found: String,
        /// The bank of the journal, in hexadecimal.
        expected: String,
    },
    /// The schema was written by a newer bankcore.
    #[error("{} has schema {found}, this bankcore knows {known}; start the newer bankcore", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema in the file.
        found: i64,
        /// The newest schema that this binary knows.
        known: i64,
    },
    /// The applied migrations are not those of this binary.
    #[error(
        "{}: migration {version} was applied from another source; start the bankcore that made it, or restore a backup",
        .path.display()
    )]
    Altered {
        /// The file.
        path: PathBuf,
        /// The migration that differs.
        version: i64,
    },
    /// A write broke a constraint or a trigger of the schema.
    #[error("{} refused a change ({detail}); nothing was changed, report this as a bug", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What the database said.
        detail: String,
    },
    /// The operating system or the driver failed.
    #[error("{} failed ({detail}); check the disk and the system log, then start again", .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
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
    /// What an error of the driver means for the file at `path`.
    pub fn from_driver(path: &Path, error: sqlx::Error) -> DatabaseError {
        let path = path.to_owned();
        let Some(sqlite) = error.as_database_error().and_then(|e| e.try_downcast_ref::<SqliteError>()) else {
            return match error {
                sqlx::Error::Decode(e) | sqlx::Error::ColumnDecode { source: e, .. } => {
                    DatabaseError::Corrupt { path, detail: one_line(&e.to_string()) }
                }
                // Every connection waits for a writer.
                sqlx::Error::PoolTimedOut => DatabaseError::Locked { path },
                other => DatabaseError::Failed { path, detail: one_line(&other.to_string()) },
            };
        };
        let detail = one_line(sqlite.message());
        let code = sqlite.code().and_then(|c| c.parse::<i64>().ok()).unwrap_or(0);
        match code & 0xff {
            BUSY | LOCKED => DatabaseError::Locked { path },
            READONLY | PERM => DatabaseError::ReadOnly { path },
            FULL => DatabaseError::Full { path },
            CORRUPT | NOTADB => DatabaseError::Corrupt { path, detail },
            CONSTRAINT => DatabaseError::Refused { path, detail },
            _ => DatabaseError::Failed { path, detail },
        }
    }

    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> DatabaseError {
        use std::io::ErrorKind;
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound => DatabaseError::Missing { path },
            ErrorKind::AlreadyExists => DatabaseError::Exists { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => DatabaseError::ReadOnly { path },
            ErrorKind::StorageFull => DatabaseError::Full { path },
            _ => DatabaseError::Failed { path, detail: one_line(&error.to_string()) },
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
