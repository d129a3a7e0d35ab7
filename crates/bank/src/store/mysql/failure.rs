//! What a server's error means: try again from the top, look what became of it, or stop.

use crate::sequencer::Fault;

/// What to do about an error of the server or of the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Somebody was in the way. The whole transaction is rolled back and decided again.
    Again,
    /// The connection is gone; the server has rolled back whatever was not being committed.
    Lost,
    /// The server refuses work that should have been right: its tables are not what the events say, a guard
    /// said no, or it lacks something.
    Wrong,
}

/// Lock wait time-out, deadlock, snapshot too old (MariaDB), locked tables, too many connections or transactions
/// at the moment, read-only for the moment of a switch-over, statement interrupted by a time limit.
const AGAIN: &[u16] = &[1205, 1213, 1020, 1099, 1100, 1040, 1203, 1637, 1290, 1836, 3024, 1969];

/// Shutdown in progress, connection killed, query killed, server gone.
const LOST: &[u16] = &[1053, 1077, 1079, 1927, 1317, 2006, 2013, 3169, 4031];

/// The number that the server gives an error.
pub(crate) fn number(error: &sqlx::Error) -> Option<u16> {
    let sqlx::Error::Database(error) = error else { return None };
    error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

pub(crate) fn meaning(error: &sqlx::Error) -> Meaning {
    match number(error) {
        Some(number) if AGAIN.contains(&number) => Meaning::Again,
        Some(number) if LOST.contains(&number) => Meaning::Lost,
        Some(_) => Meaning::Wrong,
        // Whatever broke between here and there, what it leaves is a connection that nobody can trust.
        None => match error {
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => {
                Meaning::Wrong
            }
            _ => Meaning::Lost,
        },
    }
}

/// What callers are answered when an error is not to be tried again.
pub(super) fn fault(error: &sqlx::Error) -> Fault {
    match meaning(error) {
        Meaning::Again | Meaning::Lost => Fault::Unavailable(error.to_string()),
        Meaning::Wrong => Fault::Unreadable(format!("the database refuses what the books say: {error}")),
    }
}

/// Why books in a database cannot be opened. Each is one line with its remedy.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is none.
    #[error("not a database URL ({0}); write it as mysql://user:password@host:3306/database")]
    Url(String),
    /// Nobody listens, or it does not answer.
    #[error("the database server does not answer ({0}); check the address, and that the server runs")]
    Unreachable(String),
    /// User or password.
    #[error(
        "the database server turns the user away ({0}); check user, password and from where it may connect"
    )]
    Denied(String),
    /// No such database.
    #[error("the server has no such database ({0}); create it: CREATE DATABASE … CHARACTER SET utf8mb4")]
    NoDatabase(String),
    /// A privilege is missing.
    #[error("the database user may not do this ({why}); {remedy}")]
    Privilege {
        /// What the server said.
        why: String,
        /// What gives the right.
        remedy: String,
    },
    /// Too old, or something else.
    #[error("{0} cannot hold the books; bankcore needs MySQL 8.0.16 or MariaDB 10.11, or newer")]
    Version(String),
    /// It does not keep what it has acknowledged.
    #[error(
        "the server runs with {setting}={value} and can lose money that was acknowledged; set it to 1, or start \
         with --accept-weak-durability if you know what that means"
    )]
    Weak {
        /// The server's setting.
        setting: &'static str,
        /// Its value.
        value: String,
    },
    /// The tables are not there yet, or an older program's.
    #[error(
        "the tables in the database are at version {found}, this program needs {wanted}; run `bankcore db migrate`"
    )]
    Older {
        /// What is there.
        found: i64,
        /// What is needed.
        wanted: i64,
    },
    /// A newer program's tables.
    #[error(
        "the tables in the database are at version {found}, this program knows {wanted}; start the newer program"
    )]
    Newer {
        /// What is there.
        found: i64,
        /// What is known.
        wanted: i64,
    },
    /// The migrations did not run through.
    #[error("the tables could not be made: {0}; mend the cause, then run `bankcore db migrate` again")]
    Migration(String),
    /// The books are there, and they are not whole.
    #[error("the books in the database are damaged: {0}; run `bankcore verify`")]
    Damaged(String),
    /// Books that are still being copied here.
    #[error(
        "the database holds an unfinished copy of a bank; finish it with `bankcore migrate` from the same source, or \
         drop the database"
    )]
    Unfinished,
    /// Tables, and no books in them.
    #[error("the database holds no bank; `bankcore serve --store` opens one")]
    NoBank,
    /// A name that a bank cannot have.
    #[error("the bank cannot be called so: {0}; choose another name")]
    Name(ledger::Refusal),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}; raise the limit on processes, then start again")]
    Thread(std::io::Error),
    /// The system gives no randomness.
    #[error("the system gives no randomness ({0}); check /dev/urandom")]
    Randomness(getrandom::Error),
}

impl OpenError {
    /// Names the cause of a failed connection or question.
    pub(super) fn from_driver(error: &sqlx::Error) -> OpenError {
        let text = error.to_string();
        match number(error) {
            Some(1045 | 1698 | 1130 | 1524) => OpenError::Denied(text),
            Some(1044 | 1049) => OpenError::NoDatabase(text),
            Some(1142 | 1143 | 1227 | 1370) => OpenError::Privilege {
                why: text,
                remedy: "run `bankcore db users`, which gives each user its rights".into(),
            },
            Some(1418 | 1419) => OpenError::Privilege {
                why: text,
                remedy: "the server keeps a binary log: as an administrator: SET GLOBAL \
                         log_bin_trust_function_creators = 1"
                    .into(),
            },
            Some(1146 | 1054) => OpenError::Damaged(text),
            _ => match error {
                sqlx::Error::Configuration(_) => OpenError::Url(text),
                _ => OpenError::Unreachable(text),
            },
        }
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> OpenError {
        match fault {
            Fault::Unavailable(why) => OpenError::Unreachable(why),
            other => OpenError::Damaged(other.to_string()),
        }
    }
}
