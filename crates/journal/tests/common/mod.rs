//! What all journal tests share: records, a tiny folder on a simulated disk, and reading everything back.
#![allow(dead_code)]

use journal::disk::{Disk, SimDisk};
use journal::{Batch, Folder, Head, Identity, Journal, OpenError, Options, Recovery, SLOT};
use std::path::Path;

pub const DIR: &str = "/bank";

pub fn dir() -> &'static Path {
    Path::new(DIR)
}

pub fn identity() -> Identity {
    Identity { bank: *b"0123456789abcdef", timeline: 1 }
}

/// Segments of 32 KiB, so that rolls happen all the time, and no thread.
pub fn tiny() -> Options {
    Options {
        segment_bytes: 32 << 10,
        spare_segments: 3,
        reserve_bytes: 0,
        frame_bytes_max: 20 << 10,
        background: false,
    }
}

/// A record that is a function of its sequence alone, so that any reader can say what it must hold. One to six slots.
pub fn write_record(to: &mut Vec<u8>, sequence: u64) {
    let slots = (sequence % 6 + 1) as usize;
    let start = to.len();
    to.resize(start + slots * SLOT, 0);
    let record = &mut to[start..];
    let hashed = record.len() - 24;
    record[0] = (sequence % 200) as u8 + 1;
    record[1] = 7;
    record[2] = slots as u8;
    record[3] = 2;
    record[4..6].copy_from_slice(&(hashed as u16).to_be_bytes());
    record[8..16].copy_from_slice(&sequence.to_be_bytes());
    let length = record.len();
    for (place, byte) in record[16..length - 4].iter_mut().enumerate() {
        *byte = (sequence.wrapping_mul(31).wrapping_add(place as u64 * 7)) as u8;
    }
}

/// All of a record's bytes but the checksum.
pub fn expected(sequence: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_record(&mut bytes, sequence);
    bytes.truncate(bytes.len() - 4);
    bytes
}

pub fn assert_is(record: journal::Record<'_>, sequence: u64) {
    assert_eq!(record.sequence(), sequence);
    let bytes = record.bytes();
    assert_eq!(
        &bytes[..bytes.len() - 4],
        &expected(sequence)[..],
        "record {sequence} is not what was written"
    );
}

pub fn batch(first: u64, count: u64) -> Batch {
    let mut batch = Batch::new();
    for sequence in first..first + count {
        batch.push(|bytes| write_record(bytes, sequence));
    }
    batch
}

/// The chain's value after each sequence, computed from the records alone.
pub fn heads(last: u64) -> Vec<Head> {
    let mut heads = vec![Head::start(&identity())];
    for sequence in 1..=last {
        let mut bytes = Vec::new();
        write_record(&mut bytes, sequence);
        let hashed = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
        heads.push(heads[sequence as usize - 1].next(&bytes[..hashed]));
    }
    heads
}

pub fn create<D: Disk>(disk: &D, options: Options) -> Result<Journal<D>, OpenError> {
    Ok(Folder::create(disk.clone(), dir(), identity(), options)?.recover(None, &mut |_| ())?.0)
}

/// Opens, checks that the replay is exactly 1, 2, 3, …, and that the reader agrees with it.
pub fn reopen<D: Disk>(disk: &D, options: Options) -> Result<(Journal<D>, Recovery), OpenError> {
    reopen_after(disk, options, None)
}

pub fn reopen_after<D: Disk>(
    disk: &D,
    options: Options,
    after: Option<Head>,
) -> Result<(Journal<D>, Recovery), OpenError> {
    let mut next = after.map_or(1, |head| head.sequence + 1);
    let mut replay = |record: journal::Record<'_>| {
        assert_is(record, next);
        next += 1;
    };
    let (journal, recovery) = Folder::open(disk.clone(), dir(), options)?.recover(after, &mut replay)?;
    assert_eq!(next, recovery.head.sequence + 1);
    assert_eq!(journal.reader.durable(), recovery.head.sequence);
    Ok((journal, recovery))
}

/// Reads every record by sequence and in a scan.
pub fn read_all<D: Disk>(journal: &Journal<D>) {
    let last = journal.reader.durable();
    for sequence in 1..=last {
        let record = journal.reader.record(sequence).expect("readable").expect("durable");
        assert_is(record.as_record(), sequence);
    }
    assert!(journal.reader.record(last + 1).expect("readable").is_none());
    let mut next = 1;
    for record in journal.reader.scan(1) {
        assert_is(record.expect("readable").as_record(), next);
        next += 1;
    }
    assert_eq!(next, last + 1);
}

/// A journal of some frames of different sizes over several segments, its tail confirmed.
pub fn sample(sizes: &[u64]) -> (SimDisk, u64) {
    let disk = SimDisk::new();
    let mut journal = create(&disk, tiny()).expect("created");
    let mut next = 1;
    for size in sizes {
        journal.appender.append(&mut batch(next, *size)).expect("appended");
        next += size;
    }
    journal.appender.confirm().expect("confirmed");
    (disk, next - 1)
}
