//! The settings file: TOML, one level, known names only.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::settings::{SETTINGS, nearest};
use super::values::Origin;

/// The name of the file in the data folder.
pub const FILE_NAME: &str = "bankcore.toml";

/// A settings file that was read. Paths in it are relative to its folder.
#[derive(Default)]
pub struct SettingsFile {
    path: PathBuf,
    values: HashMap<&'static str, String>,
}

impl SettingsFile {
    /// Reads the file that the operator named.
    pub fn named(path: &Path) -> Result<SettingsFile, ConfigError> {
        let unreadable =
            |e: std::io::Error| ConfigError::Unreadable { path: path.to_owned(), detail: e.to_string() };
        SettingsFile::parse(path, &std::fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Reads the file in the data folder, if there is one.
    pub fn in_folder(data: &Path) -> Result<Option<SettingsFile>, ConfigError> {
        let path = data.join(FILE_NAME);
        match std::fs::metadata(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        let file = SettingsFile::named(&path)?;
        if file.values.contains_key("data") {
            return Err(ConfigError::DataInsideData { path });
        }
        Ok(Some(file))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the file says about a setting, as text.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    fn parse(path: &Path, text: &str) -> Result<SettingsFile, ConfigError> {
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            let at = e.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
            let detail = e.message().split_whitespace().collect::<Vec<_>>().join(" ");
            ConfigError::Syntax { path: path.to_owned(), line, detail }
        })?;
        let mut file = SettingsFile { path: path.to_owned(), values: HashMap::new() };
        for (name, value) in table {
            let Some(setting) = SETTINGS.iter().find(|s| s.name == name) else {
                let nearest = nearest(&name);
                return Err(ConfigError::UnknownName { path: path.to_owned(), name, nearest });
            };
            let text = match value {
                toml::Value::String(text) if setting.path && !text.is_empty() => beside(path, &text),
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(switch) => switch.to_string(),
                other => {
                    return Err(ConfigError::BadValue {
                        name: setting.name,
                        value: other.to_string(),
                        origin: Origin::File(path.to_owned()),
                        expected: "text, a whole number, true or false".into(),
                    });
                }
            };
            file.values.insert(setting.name, text);
        }
        Ok(file)
    }
}

fn beside(file: &Path, path: &str) -> String {
    let folder = file.parent().unwrap_or(Path::new(""));
    folder.join(path).to_string_lossy().into_owned()
}
