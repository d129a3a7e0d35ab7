//! A watched disk: before and after every call that changes something, a reader looks at the books.
//!
//! Other readers run while the writer is in the middle of a write. Here there is one thread, so the reader looks from
//! inside the disk: whatever it sees at that moment, some customer could have seen.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use ::journal::disk::{Disk, DiskFile, SimDisk, SimFile};
use bank::store::Reads;
use bank::store::journal::Reading;
use std::sync::Mutex;

/// The reader that looks at every call.
#[derive(Default)]
pub(super) struct Eyes {
    reads: Mutex<Weak<Reading<Watched>>>,
    newest: AtomicU64,
}

impl Eyes {
    /// Looks through these from now on.
    pub(super) fn open(&self, reads: &Arc<Reading<Watched>>) {
        *self.reads.lock().expect("one thread") = Arc::downgrade(reads);
    }

    /// The newest sequence that was ever visible.
    pub(super) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed)
    }

    pub(super) fn look(&self) {
        let Some(reads) = self.reads.lock().expect("one thread").upgrade() else { return };
        let head = reads.head().sequence;
        self.newest.fetch_max(head.0.max(*reads.watch().borrow()), Ordering::Relaxed);
        // Beyond the head there must be nothing; this reads no file.
        if let Ok(Some(event)) = reads.event(head.next()) {
            panic!("event {} is visible beyond the head {head}", event.sequence);
        }
    }
}

/// A simulated disk with a reader in it.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) disk: SimDisk,
    pub(super) eyes: Arc<Eyes>,
}

impl Watched {
    fn watch<T>(&self, call: impl FnOnce(&SimDisk) -> io::Result<T>) -> io::Result<T> {
        self.eyes.look();
        let result = call(&self.disk);
        self.eyes.look();
        result
    }

    fn file(&self, file: SimFile) -> WatchedFile {
        WatchedFile { file, eyes: Arc::clone(&self.eyes) }
    }
}

/// An open file of a [`Watched`] disk.
pub(super) struct WatchedFile {
    file: SimFile,
    eyes: Arc<Eyes>,
}

impl WatchedFile {
    fn watch<T>(&self, call: impl FnOnce(&SimFile) -> io::Result<T>) -> io::Result<T> {
        self.eyes.look();
        let result = call(&self.file);
        self.eyes.look();
        result
    }
}

impl Disk for Watched {
    type File = WatchedFile;

    fn create_new(&self, path: &Path) -> io::Result<WatchedFile> {
        self.watch(|disk| disk.create_new(path)).map(|file| self.file(file))
    }

    fn open(&self, path: &Path) -> io::Result<WatchedFile> {
        self.disk.open(path).map(|file| self.file(file))
    }

    fn open_read(&self, path: &Path) -> io::Result<WatchedFile> {
        self.disk.open_read(path).map(|file| self.file(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.watch(|disk| disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.watch(|disk| disk.remove(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.watch(|disk| disk.create_dir_all(dir))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.watch(|disk| disk.sync_dir(dir))
    }

    fn exists(&self, path: &Path) -> bool {
        self.disk.exists(path)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_bytes(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<WatchedFile> {
        self.disk.lock(path).map(|file| self.file(file))
    }
}

impl DiskFile for WatchedFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.watch(|file| file.write_all_at(bytes, offset))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.watch(SimFile::sync_data)
    }

    fn sync_all(&self) -> io::Result<()> {
        self.watch(SimFile::sync_all)
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.watch(|file| file.set_len(bytes))
    }
}
