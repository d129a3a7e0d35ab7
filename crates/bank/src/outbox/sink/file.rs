//! A file of events, one line each (NDJSON), synced before the mark moves.
//!
//! One thread writes. It takes whatever waits, writes it in one go and syncs once: events of one parcel, and parcels
//! that come together, share a sync. When a file has reached its size it is given the sequence of its last event as a name, and a new
//! one begins; those that are full never change again. A line that a crash left unfinished is cut off at the next
//! start, and its event comes again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::{Attempt, Capacity, Sink};
use crate::outbox::message::Message;

/// One parcel is synced while the next one is made.
const CAPACITY: Capacity = Capacity { parcels: 2, events: 1_024 };

/// Readable by its owner only: it names people and their accounts.
const MODE: u32 = 0o600;

/// A file that grows, and the full ones beside it.
pub struct Lines {
    queue: Sender<Parcel>,
}

struct Parcel {
    events: Vec<Arc<Message>>,
    written: oneshot::Sender<Result<(), String>>,
}

impl Lines {
    /// Appends to the file at `path`; it is put aside when it has `bytes_max` bytes.
    ///
    /// # Errors
    /// If the file cannot be opened or read.
    pub fn open(path: &Path, bytes_max: u64) -> io::Result<Lines> {
        let mut out = Out::open(path, bytes_max)?;
        let (queue, parcels) = crossbeam_channel::unbounded();
        std::thread::Builder::new().name("event-file".into()).spawn(move || out.run(&parcels))?;
        Ok(Lines { queue })
    }
}

impl Sink for Lines {
    fn capacity(&self) -> Capacity {
        CAPACITY
    }

    fn deliver(&self, events: Vec<Arc<Message>>) -> BoxFuture<'static, Vec<Attempt>> {
        let (began, count) = (Instant::now(), events.len());
        let (written, answer) = oneshot::channel();
        let queued = self.queue.send(Parcel { events, written });
        async move {
            let closed = || Err("the file is closed".into());
            let written = match queued {
                Ok(()) => answer.await.unwrap_or_else(|_| closed()),
                Err(_) => closed(),
            };
            vec![Attempt::of(written, began.elapsed()); count]
        }
        .boxed()
    }
}

struct Out {
    path: PathBuf,
    bytes_max: u64,
    file: File,
    /// Bytes that are synced; what lies behind them is written over.
    synced: u64,
}

impl Out {
    fn open(path: &Path, bytes_max: u64) -> io::Result<Out> {
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(MODE).open(path)?;
        let synced = whole_lines(&mut file)?;
        file.set_len(synced)?;
        file.sync_all()?;
        sync_folder(path)?;
        Ok(Out { path: path.to_owned(), bytes_max, file, synced })
    }

    fn run(&mut self, parcels: &Receiver<Parcel>) {
        while let Ok(first) = parcels.recv() {
            let mut waiting = vec![first];
            waiting.extend(parcels.try_iter().take(CAPACITY.parcels - 1));
            let events: Vec<&Message> =
                waiting.iter().flat_map(|parcel| parcel.events.iter().map(|event| &**event)).collect();
            let result = self.write(&events).map_err(|error| format!("{}: {error}", self.path.display()));
            if let Err(error) = &result {
                tracing::warn!(error, "events were not written to the file; it is tried again");
            }
            for parcel in waiting {
                // Who went away is sent the events again.
                let _ = parcel.written.send(result.clone());
            }
        }
    }

    fn write(&mut self, events: &[&Message]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(events.iter().map(|event| event.body.len() + 1).sum());
        for event in events {
            bytes.extend_from_slice(&event.body);
            bytes.push(b'\n');
        }
        self.file.seek(SeekFrom::Start(self.synced))?;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.synced += bytes.len() as u64;
        if self.synced >= self.bytes_max {
            let last = events.iter().map(|event| event.sequence).max().unwrap_or(0);
            // They are safe already; what fails here is tried again with the next ones.
            if let Err(error) = self.put_aside(last) {
                tracing::warn!(%error, path = %self.path.display(), "a full file of events was not put aside");
            }
        }
        Ok(())
    }

    /// Begins a new file.
    fn put_aside(&mut self, last: u64) -> io::Result<()> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let ending =
            self.path.extension().map(|text| format!(".{}", text.to_string_lossy())).unwrap_or_default();
        let mut full = self.path.with_file_name(format!("{stem}-{last:020}{ending}"));
        // What is sent again may end with the same event.
        for copy in 1.. {
            if !full.exists() {
                break;
            }
            full = self.path.with_file_name(format!("{stem}-{last:020}-{copy}{ending}"));
        }
        match std::fs::rename(&self.path, &full) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        *self = Out::open(&self.path, self.bytes_max)?;
        Ok(())
    }
}

/// How far the file holds whole lines.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const STEP: u64 = 64 << 10;
    let mut end = file.metadata()?.len();
    let mut bytes = Vec::new();
    while end > 0 {
        let from = end.saturating_sub(STEP);
        file.seek(SeekFrom::Start(from))?;
        bytes.clear();
        io::Read::by_ref(file).take(end - from).read_to_end(&mut bytes)?;
        if let Some(place) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + place as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    fn message(sequence: u64) -> Arc<Message> {
        Arc::new(Message::test(sequence, &format!("{{\"n\":{sequence}}}")))
    }

    async fn send(sink: &Lines, sequences: std::ops::RangeInclusive<u64>) {
        for sequence in sequences {
            let attempts = sink.deliver(vec![message(sequence)]).await;
            assert_eq!(attempts[0].outcome, Outcome::Delivered);
        }
    }

    fn numbers(path: &Path) -> Vec<u64> {
        let text = std::fs::read_to_string(path).unwrap();
        let number =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["n"].as_u64().unwrap();
        text.lines().map(number).collect()
    }

    #[tokio::test]
    async fn a_line_for_each_event_that_only_the_owner_reads() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        send(&Lines::open(&path, 1 << 20).unwrap(), 1..=3).await;
        assert_eq!(numbers(&path), [1, 2, 3]);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn an_unfinished_line_is_cut_off_wherever_it_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        send(&Lines::open(&path, 1 << 20).unwrap(), 1..=3).await;
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let left = whole[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
            send(&Lines::open(&path, 1 << 20).unwrap(), 9..=9).await;
            let expected: Vec<u64> = (1..=left).chain([9]).collect();
            assert_eq!(numbers(&path), expected, "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn a_full_file_is_put_aside_under_its_last_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.ndjson");
        // Eight bytes a line: the second one fills the file.
        send(&Lines::open(&path, 16).unwrap(), 1..=5).await;
        assert_eq!(numbers(&folder.path().join("events-00000000000000000002.ndjson")), [1, 2]);
        assert_eq!(numbers(&folder.path().join("events-00000000000000000004.ndjson")), [3, 4]);
        assert_eq!(numbers(&path), [5]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let error = Lines::open(&folder.path().join("no/events.ndjson"), 1).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
