//! The real file system.

use super::{Disk, DiskFile};
use rustix::fs::{Advice, FlockOperation, OFlags, fadvise, flock, statvfs};
use rustix::io::Errno;
use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// What goes around the page cache is whole blocks of this size, from and to memory aligned to it: every disk's own
/// blocks divide it.
const DIRECT_BLOCK: usize = 4096;
/// The most that goes around the page cache at a time.
const DIRECT_BYTES: usize = 2 << 20;
/// Linux follows advice no further than its own read-ahead, which is this where nobody changed it.
const ADVICE_BYTES: u64 = 128 << 10;

/// A lock that was let go stays for a moment where a process that held it was just starting another: until then the
/// child has what its parent had open. Half a second is long for that, and short for who has to be told.
const LOCK_TRIES: u32 = 26;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

thread_local! {
    /// Where bytes are brought into line: the page cache would copy them too.
    static ALIGNED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

/// An open file of the operating system.
#[derive(Debug)]
pub struct OsFile {
    file: File,
    writable: bool,
    /// The same file, opened to go around the page cache when that was first wanted; `None` where it cannot be.
    direct: OnceLock<Option<File>>,
}

impl OsFile {
    fn writable(file: File) -> Self {
        Self { file, writable: true, direct: OnceLock::new() }
    }

    fn direct(&self) -> Option<&File> {
        let open = || {
            // By its descriptor: the file may have been renamed since it was opened.
            let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            let flags = OFlags::DIRECT.bits() as i32;
            OpenOptions::new().read(true).write(self.writable).custom_flags(flags).open(path).ok()
        };
        self.direct.get_or_init(open).as_ref()
    }
}

/// Lends aligned memory for up to [`DIRECT_BYTES`] of so many bytes.
fn aligned<T>(bytes: usize, with: impl FnOnce(&mut [u8]) -> T) -> T {
    ALIGNED.with_borrow_mut(|room| {
        let bytes = bytes.min(DIRECT_BYTES);
        if room.len() < bytes + DIRECT_BLOCK {
            room.resize(bytes + DIRECT_BLOCK, 0);
        }
        let from = room.as_ptr().align_offset(DIRECT_BLOCK);
        with(&mut room[from..from + bytes])
    })
}

/// Whether it went around the page cache; not if that is what this file system refuses at the first try.
fn went(result: io::Result<()>, part: usize) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if part == 0 && error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes whole blocks around the page cache; false, with nothing written, if this file system will not.
fn write_direct(file: &File, bytes: &[u8], offset: u64) -> io::Result<bool> {
    aligned(bytes.len(), |room| {
        for (number, part) in bytes.chunks(DIRECT_BYTES).enumerate() {
            let room = &mut room[..part.len()];
            room.copy_from_slice(part);
            if !went(file.write_all_at(room, offset + (number * DIRECT_BYTES) as u64), number)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Reads whole blocks around the page cache; false, with nothing read, if this file system will not.
fn read_direct(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<bool> {
    if bytes.as_ptr().align_offset(DIRECT_BLOCK) == 0 {
        return went(file.read_exact_at(bytes, offset), 0);
    }
    aligned(bytes.len(), |room| {
        for (number, part) in bytes.chunks_mut(DIRECT_BYTES).enumerate() {
            let room = &mut room[..part.len()];
            if !went(file.read_exact_at(room, offset + (number * DIRECT_BYTES) as u64), number)? {
                return Ok(false);
            }
            part.copy_from_slice(room);
        }
        Ok(true)
    })
}

impl Disk for OsDisk {
    type File = OsFile;

    fn create_new(&self, path: &Path) -> io::Result<OsFile> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path).map(OsFile::writable)
    }

    fn open(&self, path: &Path) -> io::Result<OsFile> {
        OpenOptions::new().read(true).write(true).open(path).map(OsFile::writable)
    }

    fn open_read(&self, path: &Path) -> io::Result<OsFile> {
        let file = File::open(path)?;
        Ok(OsFile { file, writable: false, direct: OnceLock::new() })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                continue;
            }
            // A name that is not UTF-8 is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // An empty parent ("" of a relative name) is the working folder.
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        File::open(dir)?.sync_all()
    }

    fn exists(&self, path: &Path) -> bool {
        // A broken link or an unreadable folder counts as existing: the careful answer for a file that must not be lost.
        match fs::symlink_metadata(path) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn lock(&self, path: &Path) -> io::Result<OsFile> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut tries = LOCK_TRIES;
        while let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            tries -= 1;
            if tries == 0 || error != Errno::WOULDBLOCK {
                return Err(error.into());
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        Ok(OsFile::writable(file))
    }
}

impl DiskFile for OsFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn write_blocks_at(&self, blocks: &[u8], offset: u64) -> io::Result<()> {
        debug_assert!(
            blocks.len().is_multiple_of(DIRECT_BLOCK) && offset.is_multiple_of(DIRECT_BLOCK as u64)
        );
        if let Some(direct) = self.direct()
            && write_direct(direct, blocks, offset)?
        {
            return Ok(());
        }
        self.file.write_all_at(blocks, offset)
    }

    fn read_blocks_at(&self, blocks: &mut [u8], offset: u64) -> io::Result<()> {
        debug_assert!(
            blocks.len().is_multiple_of(DIRECT_BLOCK) && offset.is_multiple_of(DIRECT_BLOCK as u64)
        );
        if let Some(direct) = self.direct()
            && read_direct(direct, blocks, offset)?
        {
            return Ok(());
        }
        self.file.read_exact_at(blocks, offset)
    }

    fn read_ahead(&self, offset: u64, bytes: u64) {
        let end = offset + bytes;
        for at in (offset..end).step_by(ADVICE_BYTES as usize) {
            // Who cannot follow advice reads later.
            let _ = fadvise(&self.file, at, NonZeroU64::new((end - at).min(ADVICE_BYTES)), Advice::WillNeed);
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_a_moment_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = OsDisk.lock(&path).unwrap();
        assert_eq!(OsDisk.lock(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(3 * LOCK_PAUSE);
                drop(held);
            });
            OsDisk.lock(&path).unwrap();
        });
    }

    /// From and to memory that lies anywhere, over what stood in the page cache, in one go and in several.
    #[test]
    fn what_goes_around_the_cache_is_what_goes_through_it() {
        for folder in [std::env::temp_dir(), "/dev/shm".into()] {
            let dir = tempfile::tempdir_in(folder).unwrap();
            let path = dir.path().join("blocks");
            let file = OsDisk.create_new(&path).unwrap();
            for blocks in [1, 3, DIRECT_BYTES / DIRECT_BLOCK, DIRECT_BYTES / DIRECT_BLOCK * 2 + 1] {
                let bytes: Vec<u8> = (0..blocks * DIRECT_BLOCK + 1).map(|at| (at % 251) as u8).collect();
                let (wanted, at) = (&bytes[1..], 2 * DIRECT_BLOCK as u64);
                let mut found = vec![0; wanted.len()];
                file.write_all_at(&vec![9; at as usize + wanted.len()], 0).unwrap();
                file.read_exact_at(&mut found, at).unwrap();
                file.write_blocks_at(wanted, at).unwrap();
                file.read_exact_at(&mut found, at).unwrap();
                assert!(found == wanted, "{blocks} blocks");
                for shift in [0, 1] {
                    let mut room = vec![0; wanted.len() + DIRECT_BLOCK + 1];
                    let from = room.as_ptr().align_offset(DIRECT_BLOCK) + shift;
                    let found = &mut room[from..from + wanted.len()];
                    OsDisk.open_read(&path).unwrap().read_blocks_at(found, at).unwrap();
                    assert!(found == wanted, "{blocks} blocks, {shift} bytes off");
                }
                file.read_exact_at(&mut found[..1], at - 1).unwrap();
                assert_eq!(found[0], 9, "what lies before stays");
            }
        }
    }
}
