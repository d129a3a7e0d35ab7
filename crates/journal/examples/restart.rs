//! Measures starts and look-ups: `cargo run --release -p journal --example restart -- DIR [RECORDS]`.
//!
//! Writes RECORDS (10 million) of 192 bytes into a new folder under DIR, opens it from the head 100,000 records before
//! the end (as a snapshot would) and from nothing, looks up random sequences, and removes the folder.

use journal::disk::OsDisk;
use journal::{Batch, Folder, Head, Identity, Options};
use std::path::PathBuf;
use std::time::Instant;

const FRAME: u64 = 4096;
const TAIL: u64 = 100_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let Some(home) = args.next().map(PathBuf::from) else {
        eprintln!("usage: restart DIR [RECORDS]");
        std::process::exit(2);
    };
    let records: u64 = args.next().and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let dir = home.join(format!("restart-{}", std::process::id()));
    let options = Options::default();
    let identity = Identity { bank: [7; 16], timeline: 1 };
    let folder = Folder::create(OsDisk, &dir, identity, options).expect("a new folder");
    let (mut journal, _) = folder.recover(None, &mut |_| ()).expect("an empty journal");
    let mut batch = Batch::new();
    let mut snapshot = journal.appender.head();
    let start = Instant::now();
    let mut next = 1;
    while next <= records {
        batch.clear();
        for _ in 0..FRAME {
            batch.push(|bytes| write_record(bytes, next));
            next += 1;
        }
        let head = journal.appender.append(&mut batch).expect("appended");
        if head.sequence + TAIL <= records {
            snapshot = head;
        }
    }
    journal.appender.confirm().expect("confirmed");
    println!("write      {:>9.0} records/s", next as f64 / start.elapsed().as_secs_f64());
    drop(journal);

    open(&dir, options, Some(snapshot));
    open(&dir, options, None);
    look_up(&dir, options, snapshot);
    std::fs::remove_dir_all(&dir).expect("removed");
}

fn write_record(to: &mut Vec<u8>, sequence: u64) {
    let start = to.len();
    to.resize(start + 192, 0x5a);
    to[start] = 1;
    to[start + 2] = 3;
    to[start + 4..start + 6].copy_from_slice(&168u16.to_be_bytes());
    to[start + 8..start + 16].copy_from_slice(&sequence.to_be_bytes());
}

fn open(dir: &std::path::Path, options: Options, after: Option<Head>) {
    let folder = Folder::open(OsDisk, dir, options).expect("a journal");
    let (_journal, recovery) = folder.recover(after, &mut |_| ()).expect("opens");
    println!(
        "open       {:>9.1} ms, {} records replayed, {} segments read",
        recovery.took.as_secs_f64() * 1e3,
        recovery.replayed,
        recovery.segments_read
    );
}

fn look_up(dir: &std::path::Path, options: Options, snapshot: Head) {
    let folder = Folder::open(OsDisk, dir, options).expect("a journal");
    let (journal, _) = folder.recover(Some(snapshot), &mut |_| ()).expect("opens");
    let last = journal.reader.durable();
    let (mut sequence, count) = (1, 200_000);
    let start = Instant::now();
    for _ in 0..count {
        sequence = (sequence * 6_364_136_223_846_793_005u64 % last).max(1);
        let record = journal.reader.record(sequence).expect("readable").expect("durable");
        assert_eq!(record.sequence(), sequence);
        sequence = sequence.wrapping_add(1_442_695_041) | 1;
    }
    println!("look up    {:>9.2} us each, warm", start.elapsed().as_secs_f64() * 1e6 / f64::from(count));
    let start = Instant::now();
    let mut seen = 0u64;
    let count = |_: journal::Record<'_>| {
        seen += 1;
        std::ops::ControlFlow::Continue(())
    };
    journal.reader.for_each(1, last, count).expect("readable");
    println!("scan       {:>9.0} records/s", seen as f64 / start.elapsed().as_secs_f64());
}
