//! What a server's error means: try again from the top, look what became of it, or stop.

use std::io::ErrorKind;

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
        Meaning::Again | Meaning::Lost => Fault::Unavailable(words(error)),
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
    /// A password that the server wants to see (MySQL's `caching_sha2_password`), on a connection without TLS.
    #[error(
        "the database server asks for this user's password, which is sent over TLS only, and the connection has none; \
         switch TLS on in the server, and leave ssl-mode=disabled out of the URL"
    )]
    PasswordWithoutTls,
    /// The URL asks for TLS, and there is none, or its certificate is not believed.
    #[error(
        "the way to the database server cannot be made secret ({0}); switch TLS on in the server, name the certificate \
         of whoever signed its own (ssl-ca=FILE in the URL), or ask for less (ssl-mode)"
    )]
    Tls(String),
    /// A file that the URL names.
    #[error(
        "a file in the database URL cannot be opened ({0}); check socket, ssl-ca, ssl-cert and ssl-key there"
    )]
    File(String),
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
    /// The server keeps a binary log, and lets only an administrator make triggers.
    pub(super) fn distrust(why: String) -> OpenError {
        let remedy = "the server keeps a binary log: as an administrator: SET GLOBAL \
                      log_bin_trust_function_creators = 1, then again";
        OpenError::Privilege { why, remedy: remedy.into() }
    }

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
            Some(1418 | 1419) => OpenError::distrust(text),
            Some(1146 | 1054) => OpenError::Damaged(text),
            _ => match error {
                sqlx::Error::Configuration(_) if text.contains(WITHOUT_TLS) => OpenError::PasswordWithoutTls,
                sqlx::Error::Configuration(_) => OpenError::Url(text),
                sqlx::Error::Tls(cause) => OpenError::Tls(cause.to_string()),
                sqlx::Error::Io(cause) => match cause.kind() {
                    // A certificate, or bytes that are no TLS.
                    ErrorKind::InvalidData => OpenError::Tls(cause.to_string()),
                    ErrorKind::NotFound | ErrorKind::PermissionDenied => OpenError::File(cause.to_string()),
                    _ => OpenError::Unreachable(text),
                },
                _ => OpenError::Unreachable(text),
            },
        }
    }
}

/// What the driver says when a password would have to be encrypted by RSA, for want of TLS. It is built without: the
/// one implementation there is can be listened to (RUSTSEC-2023-0071).
const WITHOUT_TLS: &str = "RSA auth backend disabled";

/// An error in words: the driver's, unless they are about how it was built.
pub(crate) fn words(error: &sqlx::Error) -> String {
    match OpenError::from_driver(error) {
        named @ OpenError::PasswordWithoutTls => named.to_string(),
        _ => error.to_string(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_the_driver_was_built_is_nobodys_concern() {
        let of_the_driver = "RSA auth backend disabled; enable feature `mysql-rsa`";
        let error = sqlx::Error::Configuration(of_the_driver.into());
        let Fault::Unavailable(why) = fault(&error) else { panic!("it may come back") };
        assert!(why.contains("switch TLS on") && !why.contains("feature"), "{why}");
        assert_eq!(words(&sqlx::Error::WorkerCrashed), sqlx::Error::WorkerCrashed.to_string());
    }
}
