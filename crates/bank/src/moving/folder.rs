//! A data folder that is filled: through the journal's own appender, marked as unfinished until all is proved.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use journal::disk::OsDisk;
use journal::{Batch, Head, Identity};
use ledger::Event;

use super::Error;
use crate::database::{Database, FILE_NAME};
use crate::store::journal::{self as store, Background, Reading, Settings, Writing};
use crate::store::{Reads as _, Store as _};

/// The file that says that a folder is not a bank yet.
const MARK: &str = "unfinished-copy";

/// What may lie in a folder that counts as empty.
const NOT_FOREIGN: [&str; 2] = ["bankcore.toml", "lost+found"];

/// Does the folder hold a bank that is still being copied there?
#[must_use]
pub fn is_unfinished(dir: &Path) -> bool {
    dir.join(MARK).exists()
}

/// A folder on its way to a bank.
pub(super) struct Filling {
    dir: PathBuf,
    identity: Identity,
    /// What was there when this call began.
    there: Head,
    writing: Option<Writing<OsDisk>>,
    reading: Arc<Reading<OsDisk>>,
    background: Option<Background>,
}

impl Filling {
    /// Begins a copy of this bank, or goes on with one.
    pub(super) fn begin(dir: &Path, identity: Identity) -> Result<Filling, Error> {
        let place = || dir.display().to_string();
        let text = mark_of(&identity);
        match fs::read_to_string(dir.join(MARK)) {
            Ok(found) if found == text => {}
            Ok(_) => return Err(Error::OtherCopy { place: place() }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(what) = foreign(dir).map_err(|error| Error::of_io(place(), &error))? {
                    return Err(Error::NotEmpty { place: place(), what });
                }
                mark(dir, &text).map_err(|error| Error::of_io(place(), &error))?;
            }
            Err(error) => return Err(Error::of_io(place(), &error)),
        }
        let mut settings = Settings::default();
        let mut seed = [0; 16];
        getrandom::fill(&mut seed)
            .map_err(|error| Error::Write { place: place(), why: error.to_string() })?;
        let number = u128::from_be_bytes(seed);
        settings.seed = [number as u64, (number >> 64) as u64];
        let opened = match journal::Folder::is_journal(&OsDisk, dir) {
            true => store::open(OsDisk, dir, &settings)?,
            false => store::create(OsDisk, dir, identity, &settings)?,
        };
        if opened.identity != identity {
            return Err(Error::OtherCopy { place: place() });
        }
        let there = opened.reading.head();
        Ok(Filling {
            dir: dir.to_path_buf(),
            identity,
            there: Head { sequence: there.sequence.0, hash: there.hash },
            writing: Some(opened.writing),
            reading: opened.reading,
            background: Some(opened.background),
        })
    }

    /// Writes what is not there yet; answers the chain after all of it.
    pub(super) fn write(&mut self, events: &[Event], records: &Batch, before: Head) -> Result<Head, Error> {
        let place = self.dir.display().to_string();
        let writing = self.writing.as_mut().expect("it is being filled");
        let mut head = before;
        for (event, record) in events.iter().zip(records.records()) {
            head = head.next(record.hashed());
            if head.sequence > self.there.sequence {
                writing.accept(event);
            } else if head.sequence == self.there.sequence && head.hash != self.there.hash {
                return Err(Error::OtherCopy { place });
            }
        }
        writing.ready().map_err(|fault| Error::of_fault(&place, &fault))?;
        writing.hand_over(Vec::new());
        Ok(head)
    }

    /// The books are all there: closes them, and copies the bank database beside them.
    pub(super) async fn settle(&mut self, head: Head, people: &Database, now_us: i64) -> Result<(), Error> {
        let place = self.dir.display().to_string();
        // First the side of the rules: the writer ends with it, and confirms what it wrote.
        drop(self.writing.take());
        drop(self.background.take());
        let stands = self.reading.head();
        if (stands.sequence.0, stands.hash) != (head.sequence, head.hash) {
            let why = match self.reading.event(stands.sequence) {
                Err(fault) => fault.to_string(),
                Ok(_) if stands.sequence.0 > head.sequence => return Err(Error::OtherCopy { place }),
                Ok(_) => format!("it ends at event {} of {}", stands.sequence, head.sequence),
            };
            return Err(Error::Write { place, why });
        }
        // One that an earlier call made may be older than what the source has now.
        let path = self.dir.join(FILE_NAME);
        for leftover in [FILE_NAME, "bank.db-wal", "bank.db-shm"] {
            match fs::remove_file(self.dir.join(leftover)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::of_io(place, &error)),
                _ => {}
            }
        }
        Database::create_copy(&path, self.identity.bank, now_us, people).await?.close().await;
        Ok(())
    }

    /// All of it is there and proved: from here on it is a bank like any other.
    pub(super) fn finish(self) -> Result<(), Error> {
        let fault = |error: std::io::Error| Error::of_io(self.dir.display(), &error);
        fs::remove_file(self.dir.join(MARK)).map_err(fault)?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(fault)
    }
}

fn mark_of(identity: &Identity) -> String {
    let bank: String = identity.bank.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "An unfinished copy of bank {bank}, timeline {}. `bankcore migrate` finishes it; until then it is no bank.\n",
        identity.timeline
    )
}

/// Something in the folder that is in the way.
fn foreign(dir: &Path) -> std::io::Result<Option<String>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    for entry in entries {
        let name = entry?.file_name();
        if !NOT_FOREIGN.iter().any(|known| name == *known) {
            return Ok(Some(name.to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}

/// Marks the folder durably, before anything else is in it.
fn mark(dir: &Path, text: &str) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut file = File::create(dir.join(MARK))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(dir)?.sync_all()
}
