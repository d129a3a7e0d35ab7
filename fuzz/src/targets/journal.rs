//! The journal: whatever the disk does to its files, what is answered is what was written, in order, from the
//! first record on; the rest is refused or cut.

use std::path::{Path, PathBuf};

use arbitrary::{Result, Unstructured};
use journal::disk::SimDisk;
use journal::{Batch, Folder, Head, OpenError, Record, verify};

use crate::mutate::{mutate, mutate_blocks};
use crate::samples::{self, DIR};

const BLOCK: usize = 4_096;

/// Changes files of a small journal, walks it, opens it, reads it and goes on writing.
///
/// # Panics
/// If anything panics, or a record is answered that was not written at its place.
pub fn journal(data: &[u8]) {
    let (disk, heads) = samples::journal();
    let mut input = Unstructured::new(data);
    // A start from a snapshot trusts sidecars, one without reads everything.
    let after = data.len().is_multiple_of(3).then(|| heads[30]);
    spoil(&mut input, &disk).expect("an input");

    let mut next = 1;
    if let Ok(report) =
        verify(&disk, Path::new(DIR), &mut |record| written(&record, &mut next), &mut |_, _| ())
    {
        assert_eq!(report.head, heads[next as usize - 1], "the chain of what was walked");
    }
    let mut next = after.map_or(1, |head| head.sequence + 1);
    match open(&disk, after, &mut |record| written(&record, &mut next)) {
        Ok(mut journal) => {
            let head = journal.appender.head();
            assert_eq!(head, heads[next as usize - 1], "the chain of what was replayed");
            read(&journal, head.sequence);
            let record = &samples::records()[head.sequence as usize];
            let mut batch = Batch::new();
            batch.push(|bytes| bytes.extend_from_slice(record));
            journal.appender.append(&mut batch).expect("a journal that opened takes more");
            let mut next = next;
            let found = journal.reader.record(head.sequence + 1).expect("readable").expect("durable");
            written(&found.as_record(), &mut next);
        }
        Err(OpenError::Damage(damage)) => assert!(!damage.what.is_empty()),
        Err(_) => {}
    }
}

fn open(
    disk: &SimDisk,
    after: Option<Head>,
    replay: &mut dyn FnMut(Record<'_>),
) -> std::result::Result<journal::Journal<SimDisk>, OpenError> {
    let folder = Folder::open(disk.clone(), Path::new(DIR), samples::options())?;
    Ok(folder.recover(after, replay)?.0)
}

/// Record `next` is what was written there, as far as the chain covers it.
fn written(record: &Record<'_>, next: &mut u64) {
    assert_eq!(record.sequence(), *next, "records come in order");
    let original = &samples::records()[*next as usize - 1];
    assert!(*record.hashed() == original[..record.hashed().len()], "record {next} is not what was written");
    let hashed = usize::from(u16::from_be_bytes([original[4], original[5]]));
    assert_eq!(record.hashed().len(), hashed);
    *next += 1;
}

/// Reads by sequence and in order; a bad sidecar may make a record unreadable, never another one.
fn read(journal: &journal::Journal<SimDisk>, last: u64) {
    for sequence in 1..=last {
        if let Ok(found) = journal.reader.record(sequence) {
            let mut next = sequence;
            written(&found.expect("durable").as_record(), &mut next);
        }
    }
    let mut next = 1;
    for record in journal.reader.scan(1).map_while(std::result::Result::ok) {
        written(&record.as_record(), &mut next);
    }
}

fn spoil(input: &mut Unstructured<'_>, disk: &SimDisk) -> Result<()> {
    let files = samples::files(disk, &[".seg", ".idx", "IDENTITY"]);
    for _ in 0..input.int_in_range(1..=3)? {
        let path: &PathBuf = input.choose(&files)?;
        let mut bytes = disk.contents(path).expect("a file");
        if path.extension().is_none_or(|end| end != "seg") {
            mutate(input, &mut bytes)?;
            if bytes.len() > 12 && input.ratio(1, 2)? {
                let check = crc32c::crc32c(&bytes[12..]);
                bytes[8..12].copy_from_slice(&check.to_be_bytes());
            }
        } else if input.ratio(1, 3)? {
            mutate_blocks(input, &mut bytes, BLOCK)?;
        } else {
            // Within one block, so that what is behind it stays in its place; some with a sound checksum.
            let from = input.choose_index(bytes.len().div_ceil(BLOCK).max(1))? * BLOCK;
            let to = (from + BLOCK).min(bytes.len());
            let mut block = bytes[from..to].to_vec();
            let header = input.ratio(1, 2)?;
            if header {
                block.truncate(128);
            }
            mutate(input, &mut block)?;
            block.resize(if header { 128.min(to - from) } else { to - from }, 0);
            bytes[from..from + block.len()].copy_from_slice(&block);
            if header && block.len() == 128 {
                let check = crc32c::crc32c(&bytes[from + 8..from + 128]);
                bytes[from + 4..from + 8].copy_from_slice(&check.to_be_bytes());
            }
        }
        disk.tamper(path, |old| *old = bytes).expect("a file");
    }
    Ok(())
}
