//! Snapshots: the file around the books, and the books in it.

use std::io::Read as _;
use std::path::Path;

use arbitrary::{Result, Unstructured};
use journal::Snapshots;
use ledger::State;
use ledger::codec::state::NotASnapshot;

use crate::mutate::mutate;
use crate::samples::{self, DIR};

/// Loads changed books, and opens a changed file.
///
/// # Panics
/// If loading panics, or what was loaded is not what it says when it is saved again; if a changed file is taken
/// for another snapshot.
pub fn snapshot(data: &[u8]) {
    let mut input = Unstructured::new(data);
    if data.len().is_multiple_of(4) { file(&mut input) } else { books(&mut input) }.expect("an input");
}

fn books(input: &mut Unstructured<'_>) -> Result<()> {
    let mut bytes = samples::state().to_vec();
    mutate(input, &mut bytes)?;
    let Some(state) = load(&bytes) else { return Ok(()) };
    let saved = save(&state);
    let again = load(&saved).expect("what was saved can be loaded");
    assert!(save(&again) == saved, "what is loaded is what was saved");
    Ok(())
}

fn load(bytes: &[u8]) -> Option<State> {
    let mut rest = bytes;
    State::load(&mut |to| rest.read_exact(to).map_err(|_| NotASnapshot)).ok()
}

fn save(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.save(&mut |piece| bytes.extend_from_slice(piece));
    bytes
}

fn file(input: &mut Unstructured<'_>) -> Result<()> {
    let (disk, heads) = samples::journal();
    let path = samples::files(&disk, &[".snap"]).pop().expect("a snapshot");
    let mut bytes = disk.contents(&path).expect("a file");
    mutate(input, &mut bytes)?;
    disk.tamper(&path, |old| *old = bytes).expect("a file");
    let Ok(Some(mut found)) = Snapshots::newest_valid(&disk, Path::new(DIR)) else { return Ok(()) };
    assert_eq!(found.head(), heads[30]);
    let mut content = Vec::new();
    found.read_to_end(&mut content).expect("one that was checked");
    assert!(content == samples::state(), "a changed file passes for another snapshot");
    Ok(())
}
