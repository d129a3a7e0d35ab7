//! Text with an origin: the merge of the sources, and the readers of single values.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ledger::limits::NAME_BYTES_MAX;

use super::args::ServeArgs;
use super::error::ConfigError;
use super::file::SettingsFile;
use super::settings::{SETTINGS, flag_of, variable_of};

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A flag.
    Flag(String),
    /// An environment variable.
    Env(String),
    /// The settings file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(flag) => write!(f, "flag {flag}"),
            Origin::Env(variable) => write!(f, "env {variable}"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Default => f.write_str("default"),
        }
    }
}

/// A value as text; empty if it is not set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The text.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The value of every setting, in the order of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Values(Vec<(&'static str, Value)>);

type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Values {
    /// Flag before environment before file before default.
    pub fn merge(args: &ServeArgs, env: Env<'_>) -> Result<Values, ConfigError> {
        let file = settings_file(args, env)?;
        let values = SETTINGS.iter().map(|setting| {
            let from_file = |file: &SettingsFile| {
                let text = file.given(setting.name)?;
                Some(Value { text, origin: Origin::File(file.path().to_owned()) })
            };
            let value = match outside_the_file(setting.name, args, env)? {
                Some(value) => Some(value),
                None => file.as_ref().and_then(from_file),
            };
            if let Some(empty) = value.as_ref().filter(|v| v.text.is_empty()) {
                return Err(bad(setting.name, empty, "a value, or leave the setting out"));
            }
            let default = || Value { text: setting.default.to_owned(), origin: Origin::Default };
            Ok((setting.name, value.unwrap_or_else(default)))
        });
        values.collect::<Result<_, _>>().map(Values)
    }

    /// Name and value of every setting.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn get(&self, name: &'static str) -> &Value {
        let found = self.0.iter().find(|(known, _)| *known == name);
        &found.expect("every setting that is read stands in the table").1
    }

    pub(super) fn path(&self, name: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let text = &self.get(name).text;
        Ok((!text.is_empty()).then(|| PathBuf::from(text)))
    }

    /// The URL of a database.
    pub(super) fn database(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        self.url(name, &["mysql://", "mariadb://"], "mysql://user:password@localhost:3306/bank")
    }

    /// A URL with one of these beginnings. It may hold a password, so a complaint does not show it.
    pub(super) fn url(
        &self,
        name: &'static str,
        schemes: &[&str],
        example: &str,
    ) -> Result<Option<String>, ConfigError> {
        let value = self.get(name);
        if value.text.is_empty() {
            return Ok(None);
        }
        if !schemes.iter().any(|scheme| value.text.starts_with(scheme)) {
            let hidden = Value { text: "what was given".into(), origin: value.origin.clone() };
            return Err(bad(name, &hidden, &format!("a URL such as {example}")));
        }
        Ok(Some(value.text.clone()))
    }

    /// A name that means something only together with another setting.
    pub(super) fn with(
        &self,
        name: &'static str,
        other: &'static str,
        read: impl Fn(&str) -> Option<String>,
        expected: &str,
    ) -> Result<Option<String>, ConfigError> {
        let value = self.get(name);
        if value.text.is_empty() {
            return Ok(None);
        }
        if self.get(other).text.is_empty() {
            return Err(bad(
                name,
                value,
                &format!("{} as well, which says where the broker is", flag_of(other)),
            ));
        }
        read(&value.text).map(Some).ok_or_else(|| bad(name, value, expected))
    }

    /// A name of one line, as long as the books take.
    pub(super) fn name(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let value = self.get(name);
        if value.text.is_empty() {
            return Ok(None);
        }
        if value.text.len() > NAME_BYTES_MAX || value.text.chars().any(char::is_control) {
            return Err(bad(name, value, &format!("one line of at most {NAME_BYTES_MAX} bytes")));
        }
        Ok(Some(value.text.clone()))
    }

    pub(super) fn address(&self, name: &'static str) -> Result<SocketAddr, ConfigError> {
        let value = self.get(name);
        let numeric = match value.text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => value.text.clone(),
        };
        numeric.parse().map_err(|_| bad(name, value, "an address and a port such as 127.0.0.1:8400"))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        self.choice(name, "true or false", |text| match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })
    }

    pub(super) fn number<N: TryFrom<u64>>(
        &self,
        name: &'static str,
        min: u64,
        max: u64,
    ) -> Result<N, ConfigError> {
        self.choice(name, &format!("a whole number from {min} to {max}"), |text| {
            let number = text.parse().ok().filter(|n| (min..=max).contains(n))?;
            N::try_from(number).ok()
        })
    }

    pub(super) fn choice<T>(
        &self,
        name: &'static str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = self.get(name);
        read(&value.text).ok_or_else(|| bad(name, value, expected))
    }
}

fn bad(name: &'static str, value: &Value, expected: &str) -> ConfigError {
    let Value { text, origin } = value.clone();
    ConfigError::BadValue { name, value: text, origin, expected: expected.to_owned() }
}

fn outside_the_file(
    name: &'static str,
    args: &ServeArgs,
    env: Env<'_>,
) -> Result<Option<Value>, ConfigError> {
    if let Some(text) = args.given(name) {
        return Ok(Some(Value { text, origin: Origin::Flag(flag_of(name)) }));
    }
    from_env(name, env)
}

fn from_env(name: &'static str, env: Env<'_>) -> Result<Option<Value>, ConfigError> {
    let variable = variable_of(name);
    let Some(text) = env(&variable) else { return Ok(None) };
    let origin = Origin::Env(variable);
    match text.into_string() {
        Ok(text) => Ok(Some(Value { text, origin })),
        Err(text) => {
            let value = Value { text: text.to_string_lossy().into_owned(), origin };
            Err(bad(name, &value, "text in UTF-8"))
        }
    }
}

/// The one file that counts: the named one, else the one in the data folder.
fn settings_file(args: &ServeArgs, env: Env<'_>) -> Result<Option<SettingsFile>, ConfigError> {
    let named = match &args.config {
        Some(path) => Some(path.clone()),
        None => from_env("config", env)?.map(|v| v.text),
    };
    if let Some(path) = named {
        return SettingsFile::named(Path::new(&path)).map(Some);
    }
    let data = match outside_the_file("data", args, env)? {
        Some(value) => value.text,
        None => SETTINGS[0].default.to_owned(),
    };
    SettingsFile::in_folder(Path::new(&data))
}
