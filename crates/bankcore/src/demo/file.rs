//! `demo.json`: where the demonstration bank is, its accounts and its keys. For its owner's eyes only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use super::keys::Keys;

const FILE_NAME: &str = "demo.json";

/// What `demo.json` says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DemoFile {
    /// The address of the running server.
    pub url: String,
    /// The operator's socket.
    pub socket: String,
    /// The bank's id.
    pub bank: String,
    /// The currency of all accounts.
    pub currency: String,
    /// Bearer tokens, by role or person.
    pub keys: Keys,
    /// Account ids, by name.
    pub accounts: Accounts,
    /// The way to the partner.
    #[serde(default)]
    pub rail: Option<DemoRail>,
}

/// What `bankcore partner --demo` must know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DemoRail {
    /// The rail's name.
    pub name: String,
    /// The id of its key.
    pub key_id: String,
    /// The shared secret.
    pub secret: String,
    /// Where its notices go.
    pub notices: String,
}

impl DemoFile {
    /// What an earlier start wrote; none if it did not get so far, or somebody spoiled the file.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(dir: &Path) -> anyhow::Result<Option<DemoFile>> {
        let path = dir.join(FILE_NAME);
        match fs::read(&path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error)
                .with_context(|| format!("cannot read {}; make it readable or remove it", path.display())),
        }
    }

    /// Replaces the file as a whole: whoever reads it meanwhile sees the old one or this one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(FILE_NAME);
        let draft = dir.join("demo.json.new");
        let text = serde_json::to_string_pretty(self)?;
        let write = || -> io::Result<()> {
            match fs::remove_file(&draft) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(dir)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}; make the folder writable", path.display()))
    }

    /// A request that moves money, ready to be pasted into a shell.
    #[must_use]
    pub fn curl(&self) -> String {
        let body = format!(
            r#"{{"from_account_id": "{}", "to_account_id": "{}", "amount": "2000.00", "currency": "{}", "description": "Rent", "reference": "INV-7"}}"#,
            self.accounts["carol_savings"], self.accounts["carol_current"], self.currency
        );
        format!(
            "curl -s -X POST {}/api/v1/transactions/transfer \\\n  -H 'Authorization: Bearer {}' \\\n  \
             -H 'Idempotency-Key: 6f0c8a' -H 'Content-Type: application/json' \\\n  -d '{body}'",
            self.url, self.keys["carol"]
        )
    }
}
