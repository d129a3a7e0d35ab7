//! Settings: by flag, by environment, by file, by default, in that order of precedence.
//!
//! ```text
//! --listen 127.0.0.1:9000          flag         wins
//! BANKCORE_LISTEN=127.0.0.1:9000   environment
//! listen = "127.0.0.1:9000"        file: --config FILE, BANKCORE_CONFIG, or bankcore.toml in the data folder
//! 127.0.0.1:8400                   default
//! ```
//! Every setting has one name, and flag and variable follow from it. All sources give text with an origin;
//! [`Values`] merges them by one table ([`settings::SETTINGS`]) and only then is the text read, in one place, so
//! that every complaint names the value, where it came from and what would be right.
//!
//! TLS keys are named by path, API keys live in the bank database. The password in the URL of a database is the
//! one secret among the settings: it is better given by environment than by flag, and never printed.

pub mod args;
pub mod error;
pub mod file;
pub mod settings;
#[cfg(test)]
mod tests;
pub mod values;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use args::ServeArgs;
pub use error::ConfigError;
use values::Values;

/// What a bank is called that nobody named.
const NAME: &str = "bank";
const DEMO_NAME: &str = "Demo Bank";

/// A rate with a burst, per principal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many a second; 0 is no limit.
    pub per_second: u32,
    /// How many at once.
    pub burst: u32,
}

/// Where TLS finds its files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// The certificate chain (PEM).
    pub cert: PathBuf,
    /// The private key (PEM).
    pub key: PathBuf,
}

/// Who opens and closes the business day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BusinessDay {
    /// The date of the clock.
    Calendar,
    /// An operator, by command.
    Manual,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// All settings, read and checked. What each means is told in [`settings::SETTINGS`].
#[derive(Clone, PartialEq, Debug)]
#[allow(
    missing_docs,
    reason = "the meanings stand in the table of settings, which --help and the file share"
)]
pub struct Config {
    pub data: PathBuf,
    pub store: Option<String>,
    pub accept_weak_durability: bool,
    pub listen: SocketAddr,
    pub demo: bool,
    pub rails: Option<PathBuf>,
    pub name: String,
    pub tls: Option<Tls>,
    pub behind_proxy: bool,
    pub quota: Rate,
    pub refusal_budget: Rate,
    pub queue_submissions: usize,
    pub body_bytes_max: usize,
    pub clock_jump: Duration,
    pub business_day: BusinessDay,
    pub log: String,
    pub log_format: LogFormat,
    pub segment_bytes: u64,
    pub snapshot_every_segments: u32,
    values: Values,
}

impl Config {
    /// The settings of this process.
    pub fn load(args: &ServeArgs) -> Result<Config, ConfigError> {
        Config::resolve(args, &|name| std::env::var_os(name))
    }

    /// The settings for these flags and this environment.
    pub fn resolve(args: &ServeArgs, env: &dyn Fn(&str) -> Option<OsString>) -> Result<Config, ConfigError> {
        Config::read(Values::merge(args, env)?)
    }

    fn read(values: Values) -> Result<Config, ConfigError> {
        let listen = values.address("listen")?;
        let tls = match (values.path("tls_cert")?, values.path("tls_key")?) {
            (Some(cert), Some(key)) => Some(Tls { cert, key }),
            (None, None) => None,
            (Some(_), None) => return Err(ConfigError::TlsIncomplete { missing: "tls_key" }),
            (None, Some(_)) => return Err(ConfigError::TlsIncomplete { missing: "tls_cert" }),
        };
        let behind_proxy = values.flag("behind_proxy")?;
        check_exposure(listen, tls.is_some(), behind_proxy)?;
        let day = |text: &str| match text {
            "calendar" => Some(BusinessDay::Calendar),
            "manual" => Some(BusinessDay::Manual),
            _ => None,
        };
        let format = |text: &str| match text {
            "text" => Some(LogFormat::Text),
            "json" => Some(LogFormat::Json),
            _ => None,
        };
        let level = |text: &str| args::LEVELS.contains(&text).then(|| text.to_owned());
        let demo = values.flag("demo")?;
        let unnamed = if demo { DEMO_NAME } else { NAME };
        Ok(Config {
            data: values.path("data")?.unwrap_or_default(),
            store: values.database("store")?,
            accept_weak_durability: values.flag("accept_weak_durability")?,
            listen,
            demo,
            rails: values.path("rails")?,
            name: values.name("name")?.unwrap_or_else(|| unnamed.to_owned()),
            tls,
            behind_proxy,
            quota: Rate {
                per_second: values.number("quota_per_second", 0, 100_000_000)?,
                burst: values.number("quota_burst", 1, 100_000_000)?,
            },
            refusal_budget: Rate {
                per_second: values.number("refusal_budget_per_second", 0, 100_000_000)?,
                burst: values.number("refusal_budget_burst", 1, 100_000_000)?,
            },
            queue_submissions: values.number("queue_submissions", 1, 10_000_000)?,
            body_bytes_max: values.number("body_bytes_max", 1_024, 256 << 20)?,
            clock_jump: Duration::from_secs(values.number("clock_jump_seconds", 1, 86_400)?),
            business_day: values.choice("business_day", "calendar or manual", day)?,
            log: values.choice("log", "off, error, warn, info, debug or trace", level)?,
            log_format: values.choice("log_format", "text or json", format)?,
            segment_bytes: values.number::<u64>("segment_mib", 1, 1_024)? << 20,
            snapshot_every_segments: values.number("snapshot_every_segments", 1, 10_000)?,
            values,
        })
    }

    /// The settings as `bankcore config` prints them: name, value, origin.
    #[must_use]
    pub fn render(&self) -> String {
        let rows: Vec<_> =
            self.values.rows().map(|(n, v)| (n, without_password(&v.text), v.origin.to_string())).collect();
        let width = |of: fn(&(&str, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let (names, texts) = (width(|r| r.0.chars().count()), width(|r| r.1.chars().count()));
        rows.iter().fold(String::new(), |mut out, (name, text, origin)| {
            let _ = writeln!(out, "{name:names$}  {text:texts$}  {origin}");
            out
        })
    }
}

/// A URL as it may be shown.
fn without_password(text: &str) -> String {
    let shown = || {
        let (scheme, rest) = text.split_once("://")?;
        let (who, place) = rest.rsplit_once('@')?;
        let (user, _) = who.split_once(':')?;
        Some(format!("{scheme}://{user}:***@{place}"))
    };
    shown().unwrap_or_else(|| text.to_owned())
}

/// Beyond this machine, keys and balances travel only under TLS: ours, or that of a proxy that the operator
/// vouches for.
pub fn check_exposure(listen: SocketAddr, tls: bool, behind_proxy: bool) -> Result<(), ConfigError> {
    if listen.ip().to_canonical().is_loopback() || tls || behind_proxy {
        return Ok(());
    }
    Err(ConfigError::Exposed { listen })
}
