//! What the institution has decided about each reference: written and synced before it is told.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::Context as _;
use bank::payments::rail::Party;
use bank::payments::rail::wire::Status;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Instruction {
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) debtor: Party,
    pub(super) beneficiary: Party,
    pub(super) description: Option<String>,
}

/// What was decided.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Decision {
    pub(super) reference: String,
    pub(super) status: Status,
    /// None for what was cancelled before it came.
    pub(super) instruction: Option<Instruction>,
    /// The opposite was told as well.
    #[serde(default)]
    pub(super) lied: bool,
}

/// All decisions; the file is the truth, the map is read from it.
pub(super) struct Decisions {
    inner: Mutex<Inner>,
}

struct Inner {
    known: HashMap<String, Decision>,
    file: Option<File>,
}

const FILE: &str = "decisions.jsonl";

impl Decisions {
    /// From the folder; in memory without one. A line that a crash left half is no decision: nobody was told.
    pub(super) fn open(folder: Option<&Path>) -> anyhow::Result<Decisions> {
        let mut known = HashMap::new();
        let Some(folder) = folder else {
            return Ok(Decisions { inner: Mutex::new(Inner { known, file: None }) });
        };
        let path = folder.join(FILE);
        let failed = || format!("cannot use {}", path.display());
        let file =
            OpenOptions::new().create(true).read(true).append(true).open(&path).with_context(failed)?;
        let mut whole = 0;
        let mut reader = BufReader::new(&file);
        let mut line = String::new();
        while reader.read_line(&mut line).with_context(failed)? > 0 && line.ends_with('\n') {
            let decision: Decision = serde_json::from_str(&line).with_context(failed)?;
            known.insert(decision.reference.clone(), decision);
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole).with_context(failed)?;
        Ok(Decisions { inner: Mutex::new(Inner { known, file: Some(file) }) })
    }

    /// The decision about a reference, if there is one.
    pub(super) fn get(&self, reference: &str) -> Option<Decision> {
        self.inner.lock().known.get(reference).cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Decision> {
        self.inner.lock().known.values().cloned().collect()
    }

    /// Decides by what is known so far, durably; the decision that holds then.
    pub(super) fn decide(
        &self,
        reference: &str,
        decide: impl FnOnce(Option<&Decision>) -> Option<Decision>,
    ) -> anyhow::Result<Option<Decision>> {
        let inner = &mut *self.inner.lock();
        let known = inner.known.get(reference);
        let Some(decision) = decide(known) else { return Ok(known.cloned()) };
        if let Some(file) = &mut inner.file {
            let mut line = serde_json::to_vec(&decision)?;
            line.push(b'\n');
            file.write_all(&line)?;
            file.sync_data()?;
        }
        inner.known.insert(reference.to_owned(), decision.clone());
        Ok(Some(decision))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_decided_is_known_after_a_crash_and_half_a_line_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let decided = |reference: &str| Decision {
            reference: reference.into(),
            status: Status::Cancelled,
            instruction: None,
            lied: false,
        };
        let decisions = Decisions::open(Some(folder.path())).unwrap();
        decisions.decide("one", |_| Some(decided("one"))).unwrap();
        drop(decisions);
        let mut file = OpenOptions::new().append(true).open(folder.path().join(FILE)).unwrap();
        file.write_all(br#"{"reference":"tw"#).unwrap();
        let decisions = Decisions::open(Some(folder.path())).unwrap();
        assert_eq!(decisions.get("one"), Some(decided("one")));
        assert_eq!(decisions.get("tw"), None);
        decisions.decide("two", |_| Some(decided("two"))).unwrap();
        drop(decisions);
        assert_eq!(Decisions::open(Some(folder.path())).unwrap().all().len(), 2);
    }
}
