//! Measures the journal on a real disk: `cargo run --release -p journal --example append -- DIR [SECONDS]`.
//!
//! Frames of 1, 64, 512 and 8192 records of 192 bytes, one sync a frame, in a new folder under DIR that is removed at the
//! end. Prints records a second, and apart from the disk what checksums and chain cost.

use journal::disk::OsDisk;
use journal::{Batch, Folder, Head, Identity, Options};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SLOTS: u8 = 3;
const HASHED: u16 = 168;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(home) = args.next().map(PathBuf::from) else {
        eprintln!("usage: append DIR [SECONDS]");
        std::process::exit(2);
    };
    let seconds = args.next().and_then(|text| text.parse().ok()).unwrap_or(3.0);
    println!(
        "{:>7} {:>12} {:>10} {:>10} {:>12} {:>12} {:>12}",
        "frame", "records/s", "p50 us", "p99 us", "crc ns", "chain ns", "encode ns"
    );
    for size in [1, 64, 512, 8192] {
        run(&home, size, Duration::from_secs_f64(seconds));
    }
}

fn write_record(to: &mut Vec<u8>, sequence: u64) {
    let start = to.len();
    to.resize(start + usize::from(SLOTS) * 64, 0x5a);
    let record = &mut to[start..];
    record[0] = 1;
    record[2] = SLOTS;
    record[4..6].copy_from_slice(&HASHED.to_be_bytes());
    record[8..16].copy_from_slice(&sequence.to_be_bytes());
}

fn run(home: &Path, size: u64, time: Duration) {
    let dir = home.join(format!("append-{}-{size}", std::process::id()));
    let identity = Identity { bank: [7; 16], timeline: 1 };
    let options = Options::default();
    let folder = Folder::create(OsDisk, &dir, identity, options).expect("a new folder");
    let (mut journal, _) = folder.recover(None, &mut |_| ()).expect("an empty journal");
    while journal.reader.segments().len() <= options.spare_segments {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut batch = Batch::with_buffer(Vec::with_capacity(2 << 20));
    let (mut next, mut encoding, mut each) = (1, Duration::ZERO, Vec::new());
    let began = Instant::now();
    while began.elapsed() < time {
        batch.clear();
        let start = Instant::now();
        for _ in 0..size {
            batch.push(|bytes| write_record(bytes, next));
            next += 1;
        }
        let encoded = Instant::now();
        journal.appender.append(&mut batch).expect("appended");
        encoding += encoded - start;
        each.push(encoded.elapsed());
    }
    let took = began.elapsed();
    let records = next - 1;
    each.sort();
    let (crc, chain) = apart(&batch);
    println!(
        "{size:>7} {:>12.0} {:>10} {:>10} {crc:>12.1} {chain:>12.1} {:>12.1}",
        records as f64 / took.as_secs_f64(),
        each[each.len() / 2].as_micros(),
        each[each.len() * 99 / 100].as_micros(),
        encoding.as_nanos() as f64 / records as f64,
    );
    drop(journal);
    std::fs::remove_dir_all(&dir).expect("removed");
}

/// Nanoseconds a record for the checksum and for the chain, alone.
fn apart(batch: &Batch) -> (f64, f64) {
    let rounds = 200_000 / batch.len() + 1;
    let records = (rounds * batch.len()) as f64;
    let mut sum = 0u64;
    let start = Instant::now();
    for _ in 0..rounds {
        for record in batch.records() {
            sum += u64::from(crc32c::crc32c(&record.bytes()[..188]));
        }
    }
    let crc = start.elapsed().as_nanos() as f64 / records;
    let start = Instant::now();
    let mut head = Head { sequence: sum, hash: [0; 32] };
    for _ in 0..rounds {
        for record in batch.records() {
            head = head.next(record.hashed());
        }
    }
    std::hint::black_box(head);
    (crc, start.elapsed().as_nanos() as f64 / records)
}
