//! Good files and events to start from: the bank of yesterday (crates/bank/examples/yesterday.rs), which has an event
//! of every kind.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::read::GzDecoder;
use journal::disk::{Disk, DiskFile, SimDisk};
use journal::keys::{Digest, Filer, Options as KeyOptions, Recent, Shelf};
use journal::{Batch, Folder, Head, Identity, Options, Snapshots};
use ledger::{Event, State, codec};

/// Where the journal's samples are, on a simulated disk.
pub const DIR: &str = "/bank";

/// Where the samples of key files are.
pub const KEYS: &str = "/bank/keys";

/// The records of the bank of yesterday, without the journal's checksum at their ends.
pub fn records() -> &'static [Vec<u8>] {
    static RECORDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let (disk, mut records) = (SimDisk::new(), Vec::new());
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/bankcore/tests/yesterday/v1");
        let numbers = (1..).map(|number| format!("journal/{number:012}.seg"));
        let segments = numbers.take_while(|name| from.join(format!("{name}.gz")).exists());
        for name in segments.chain(["IDENTITY".to_owned()]) {
            let packed = std::fs::File::open(from.join(format!("{name}.gz"))).expect("the fixture");
            let mut bytes = Vec::new();
            GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
            put(&disk, &Path::new(DIR).join(name), &bytes);
        }
        let mut each = |record: journal::Record<'_>| {
            let mut bytes = record.bytes().to_vec();
            let end = bytes.len();
            bytes[end - codec::TRAILER..].fill(0);
            records.push(bytes);
        };
        journal::verify(&disk, Path::new(DIR), &mut each, &mut |_, _| ()).expect("a journal");
        assert!(records.len() > 200);
        records
    })
}

/// The events of the bank of yesterday.
pub fn events() -> &'static [Event] {
    static EVENTS: OnceLock<Vec<Event>> = OnceLock::new();
    EVENTS.get_or_init(|| records().iter().map(|record| codec::decode(record).expect("an event")).collect())
}

/// The books after all of them, as a snapshot holds them.
pub fn state() -> &'static [u8] {
    static STATE: OnceLock<Vec<u8>> = OnceLock::new();
    STATE.get_or_init(|| {
        let mut state = State::new();
        events().iter().for_each(|event| state.apply(event));
        let mut bytes = Vec::new();
        state.save(&mut |piece| bytes.extend_from_slice(piece));
        bytes
    })
}

/// How the small journal is kept: segments of 32 KiB, so that there are many.
#[must_use]
pub fn options() -> Options {
    Options {
        segment_bytes: 32 << 10,
        spare_segments: 3,
        reserve_bytes: 0,
        frame_bytes_max: 20 << 10,
        background: false,
    }
}

/// A small journal of the first records, closed in order, with a snapshot in the middle; and the chain by sequence.
pub fn journal() -> (SimDisk, &'static [Head]) {
    static MADE: OnceLock<(SimDisk, Vec<Head>)> = OnceLock::new();
    let (disk, heads) = MADE.get_or_init(|| {
        let (disk, dir) = (SimDisk::new(), Path::new(DIR));
        let identity = Identity { bank: [7; 16], timeline: 1 };
        let folder = Folder::create(disk.clone(), dir, identity, options()).expect("a folder");
        let (mut journal, _) = folder.recover(None, &mut |_| ()).expect("a journal");
        let mut heads = vec![Head::start(&identity)];
        for frame in records()[..60].chunks(4) {
            let mut batch = Batch::new();
            for record in frame {
                batch.push(|bytes| bytes.extend_from_slice(record));
                let hashed = usize::from(u16::from_be_bytes([record[4], record[5]]));
                heads.push(heads.last().expect("a head").next(&record[..hashed]));
            }
            journal.appender.append(&mut batch).expect("appended");
        }
        journal.appender.confirm().expect("confirmed");
        journal.appender.maintain();
        drop(journal);
        let content = state();
        Snapshots::write(&disk, dir, heads[30], |out| out.write_all(content)).expect("a snapshot");
        (disk, heads)
    });
    (disk.fork(), heads)
}

/// How the small key files are kept.
#[must_use]
pub fn key_options() -> KeyOptions {
    KeyOptions {
        generation_claims: 400,
        batch_claims: 8,
        reserve_bytes: 0,
        ..KeyOptions::new([5; 32], [1, 2])
    }
}

/// The claims in the key files: digest and value, in order of sequence.
#[must_use]
pub fn claims() -> Vec<(Digest, u64)> {
    let digest = |number: u64| {
        let mut bytes = [0; 16];
        // Spread as a hash would be.
        bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        bytes[8..].copy_from_slice(&number.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).to_be_bytes());
        Digest::new(bytes)
    };
    (1..=1_000).map(|number| (digest(number), number)).collect()
}

/// A folder of key files with all [`claims`] up to the last that a file covers.
pub fn keys() -> SimDisk {
    static MADE: OnceLock<SimDisk> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let (disk, dir) = (SimDisk::new(), Path::new(KEYS));
        let shelf = Shelf::open(&disk, dir, key_options(), 0).expect("a folder").shelf;
        let (mut recent, mut filer) = (Recent::new(&shelf), Filer::new(&disk, dir, &shelf));
        for (digest, value) in claims() {
            recent.insert(digest, value);
            recent.end_of_batch(value);
            while filer.step(value).expect("filed") {}
        }
        assert!(shelf.runs().len() > 1, "files, and one that is not the first");
        disk
    });
    made.fork()
}

/// The files below a folder whose names end so.
#[must_use]
pub fn files(disk: &SimDisk, end: &[&str]) -> Vec<PathBuf> {
    let fits = |path: &PathBuf| end.iter().any(|end| path.to_string_lossy().ends_with(end));
    disk.paths().into_iter().filter(fits).collect()
}

fn put(disk: &SimDisk, path: &Path, bytes: &[u8]) {
    disk.create_dir_all(path.parent().expect("a folder")).expect("a folder");
    let file = disk.create_new(path).expect("a file");
    file.write_all_at(bytes, 0).expect("written");
    file.sync_all().expect("synced");
}
