//! What can be wrong with the settings. Each message is one line and ends with the remedy.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::values::Origin;

/// Why the settings cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The settings file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was reported.
        detail: String,
    },
    /// The settings file is not TOML.
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was reported.
        detail: String,
    },
    /// The settings file names a setting that does not exist.
    UnknownName {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// The known name that is most like it.
        nearest: &'static str,
    },
    /// The file inside the data folder names the data folder.
    DataInsideData {
        /// The file.
        path: PathBuf,
    },
    /// A value that does not fit its setting.
    BadValue {
        /// The setting.
        name: &'static str,
        /// What was given.
        value: String,
        /// Where it was given.
        origin: Origin,
        /// What would be right.
        expected: String,
    },
    /// A certificate without a key, or the reverse.
    TlsIncomplete {
        /// The setting that is not there.
        missing: &'static str,
    },
    /// Beyond loopback in clear text.
    Exposed {
        /// The address.
        listen: SocketAddr,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { path, detail } => {
                write!(f, "cannot read {} ({detail}); name a settings file that can be read", path.display())
            }
            ConfigError::Syntax { path, line, detail } => {
                write!(f, "{} line {line} is not TOML ({detail}); write name = value", path.display())
            }
            ConfigError::UnknownName { path, name, nearest } => {
                write!(f, "{}: there is no setting {name:?}; did you mean {nearest}?", path.display())
            }
            ConfigError::DataInsideData { path } => write!(
                f,
                "{} lies in the data folder and cannot name it; use --data, BANKCORE_DATA or --config FILE",
                path.display()
            ),
            ConfigError::BadValue { name, value, origin, expected } => {
                write!(f, "{name} = {value:?} (from {origin}) does not fit; use {expected}")
            }
            ConfigError::TlsIncomplete { missing } => {
                write!(f, "TLS needs tls_cert and tls_key; set {missing} too")
            }
            ConfigError::Exposed { listen } => write!(
                f,
                "listening on {listen} without TLS would show keys and balances to the network; \
                 set --tls-cert and --tls-key, or --behind-proxy if a proxy does TLS"
            ),
        }
    }
}

impl std::error::Error for ConfigError {}
