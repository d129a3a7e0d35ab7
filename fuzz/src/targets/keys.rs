//! Key files: a look-up answers what was claimed, or that the file is damaged; never another event.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use arbitrary::{Result, Unstructured};
use journal::keys::{Digest, Shelf};

use crate::mutate::{mutate, mutate_blocks};
use crate::samples::{self, KEYS};

const PAGE: usize = 4_096;

/// Opens changed key files and looks everything up.
///
/// # Panics
/// If anything panics, or a digest leads to an event that did not claim it, or is said to be new though a file
/// that verifies covers it.
pub fn keys(data: &[u8]) {
    look_up(&mut Unstructured::new(data)).expect("an input");
}

fn look_up(input: &mut Unstructured<'_>) -> Result<()> {
    static CLAIMS: OnceLock<HashMap<Digest, u64>> = OnceLock::new();
    let claims = CLAIMS.get_or_init(|| samples::claims().into_iter().collect());
    let disk = samples::keys();
    let files = samples::files(&disk, &[".run"]);
    for _ in 0..input.int_in_range(1..=2)? {
        let path = input.choose(&files)?;
        let mut bytes = disk.contents(path).expect("a file");
        match input.int_in_range(0..=3)? {
            0 => mutate_blocks(input, &mut bytes, PAGE)?,
            1 => mutate(input, &mut bytes)?,
            _ => header(input, &mut bytes)?,
        }
        disk.tamper(path, |old| *old = bytes).expect("a file");
    }
    let opened =
        Shelf::open(&disk, Path::new(KEYS), samples::key_options(), 1_000).expect("damage is no error");
    let runs = opened.shelf.runs();
    let sound = runs.verify().is_ok();
    for (digest, value) in claims {
        match runs.find(digest) {
            Ok(Some(found)) => assert_eq!(found, *value, "a key leads to another event"),
            Ok(None) => {
                assert!(!sound || *value > opened.covered_through, "a key of event {value} is not found")
            }
            Err(_) => assert!(!sound, "what verifies can be read"),
        }
    }
    let _ = runs.for_each(|digest, value| assert_eq!(claims.get(&digest), Some(&value)));
    Ok(())
}

/// Changes fields of the header and makes its checksum right again.
fn header(input: &mut Unstructured<'_>, bytes: &mut [u8]) -> Result<()> {
    if bytes.len() < PAGE {
        return Ok(());
    }
    // Behind the identity: range, entries, tier, the checksums of fences and filter.
    let mut fields = bytes[48..84].to_vec();
    mutate(input, &mut fields)?;
    fields.resize(36, 0);
    bytes[48..84].copy_from_slice(&fields);
    let check = crc32c::crc32c(&bytes[12..PAGE]);
    bytes[8..12].copy_from_slice(&check.to_be_bytes());
    Ok(())
}
