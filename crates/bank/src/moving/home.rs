//! Where a bank lives.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::runtime::Runtime;

use super::Error;
use crate::database::{Database, FILE_NAME};
use crate::store::mysql::Settings;

/// A data folder, or a database.
#[derive(Clone, Debug)]
pub enum Home {
    /// A data folder.
    Folder(PathBuf),
    /// A database of MySQL or MariaDB.
    Database(Settings),
}

impl FromStr for Home {
    type Err = Infallible;

    /// What begins like a URL of a database is one, everything else a folder.
    fn from_str(text: &str) -> Result<Home, Infallible> {
        Ok(match ["mysql://", "mariadb://"].iter().any(|scheme| text.starts_with(scheme)) {
            true => Home::Database(Settings::new(text)),
            false => Home::Folder(text.into()),
        })
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Home::Folder(dir) => dir.display().fmt(f),
            Home::Database(settings) => f.write_str(&settings.name()),
        }
    }
}

impl Home {
    /// Are the two one?
    pub(super) fn is(&self, other: &Home) -> bool {
        match (self, other) {
            (Home::Folder(one), Home::Folder(other)) => match (one.canonicalize(), other.canonicalize()) {
                (Ok(one), Ok(other)) => one == other,
                _ => one == other,
            },
            (Home::Database(one), Home::Database(other)) => one.name() == other.name(),
            _ => false,
        }
    }

    /// The bank database in it.
    pub(super) fn bank_database(&self, bank: [u8; 16], runtime: &Runtime) -> Result<Database, Error> {
        Ok(runtime.block_on(async {
            match self {
                Home::Folder(dir) => Database::open(&dir.join(FILE_NAME), bank).await,
                Home::Database(settings) => Database::beside(settings, bank).await,
            }
        })?)
    }
}
