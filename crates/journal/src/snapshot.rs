//! Snapshots: opaque bytes that stand for everything up to a head, so that a start replays only what came after.
//!
//! Derived data. A snapshot is written under a draft name, in chunks of 1 MiB with a checksum each and one over all,
//! synced, renamed, and its folder synced; the newest two are kept. One that does not verify is passed over: the previous
//! one, or the journal alone, does as well and only takes longer.
//!
//! Layout: magic `BCSNAP01` · CRC-32C of what follows in the header · format u32 · sequence u64 · head (32); then chunks
//! of length u32 · CRC-32C u32 · bytes; then a last chunk of length 0 whose checksum covers the count of all bytes
//! (u64, following it) and the checksums before it.

use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::layout::{FORMAT, array_at, u32_at, u64_at};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"BCSNAP01";
const HEADER: usize = 56;
const CHUNK: usize = 1 << 20;
const KEPT: usize = 2;

/// Why a snapshot was not written or the folder not searched. The journal is not affected: go on without.
#[derive(Debug, thiserror::Error)]
#[error("snapshot {}: {source}; the next start takes longer, nothing is lost", path.display())]
pub struct SnapshotError {
    /// The file or folder.
    pub path: PathBuf,
    /// The disk's answer, or that of the one who wrote the content.
    pub source: io::Error,
}

/// The snapshots in a data folder.
pub struct Snapshots;

impl Snapshots {
    /// Writes a snapshot of everything up to `head`, whose content `fill` produces, and removes all but the newest two.
    ///
    /// # Errors
    /// [`SnapshotError`]; older snapshots are then still there.
    pub fn write<D: Disk>(
        disk: &D,
        dir: &Path,
        head: Head,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<PathBuf, SnapshotError> {
        let folder = dir.join("snapshots");
        let path = path(&folder, head.sequence);
        let draft = path.with_extension("tmp");
        let written = write_file(disk, dir, &folder, (&draft, &path), head, fill);
        if let Err(source) = written {
            if disk.exists(&draft) {
                // What is left of it only takes space; the next one clears it too.
                let _ = disk.remove(&draft);
            }
            return Err(SnapshotError { path, source });
        }
        if let Err(error) = prune(disk, &folder) {
            // The new one is safe; the old ones are tried again with the next.
            tracing::warn!(%error, "cannot remove old snapshots");
        }
        Ok(path)
    }

    /// The newest snapshot that verifies from beginning to end.
    ///
    /// # Errors
    /// If the folder cannot be listed; a snapshot that cannot be read is passed over.
    pub fn newest_valid<D: Disk>(disk: &D, dir: &Path) -> Result<Option<Snapshot<D>>, SnapshotError> {
        Self::newest_valid_below(disk, dir, u64::MAX)
    }

    /// The newest snapshot below a sequence that verifies: for going on after one was not of this journal.
    ///
    /// # Errors
    /// As for [`Snapshots::newest_valid`].
    pub fn newest_valid_below<D: Disk>(
        disk: &D,
        dir: &Path,
        below: u64,
    ) -> Result<Option<Snapshot<D>>, SnapshotError> {
        let folder = dir.join("snapshots");
        if !disk.exists(&folder) {
            return Ok(None);
        }
        for sequence in sequences(disk, &folder)?.into_iter().rev().filter(|sequence| *sequence < below) {
            let path = path(&folder, sequence);
            let checked = Snapshot::open(disk, &path).and_then(|mut snapshot| {
                io::copy(&mut snapshot, &mut io::sink())?;
                Snapshot::open(disk, &path)
            });
            match checked {
                Ok(snapshot) if snapshot.head.sequence == sequence => return Ok(Some(snapshot)),
                Ok(_) => {
                    tracing::warn!(path = %path.display(), "passing over a snapshot under another's name")
                }
                Err(error) => tracing::warn!(path = %path.display(), %error, "passing over a snapshot"),
            }
        }
        Ok(None)
    }
}

fn path(folder: &Path, sequence: u64) -> PathBuf {
    folder.join(format!("{sequence:020}.snap"))
}

fn sequences<D: Disk>(disk: &D, folder: &Path) -> Result<Vec<u64>, SnapshotError> {
    let names = disk.list(folder).map_err(|source| SnapshotError { path: folder.to_path_buf(), source })?;
    let mut found: Vec<u64> =
        names.iter().filter_map(|name| name.strip_suffix(".snap")?.parse().ok()).collect();
    found.sort_unstable();
    Ok(found)
}

fn prune<D: Disk>(disk: &D, folder: &Path) -> Result<(), SnapshotError> {
    for sequence in sequences(disk, folder)?.iter().rev().skip(KEPT) {
        let path = path(folder, *sequence);
        disk.remove(&path).map_err(|source| SnapshotError { path, source })?;
    }
    Ok(())
}

fn write_file<D: Disk>(
    disk: &D,
    dir: &Path,
    folder: &Path,
    (draft, path): (&Path, &Path),
    head: Head,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if !disk.exists(folder) {
        disk.create_dir_all(folder)?;
        disk.sync_dir(dir)?;
    }
    for name in disk.list(folder)?.iter().filter(|name| name.ends_with(".tmp")) {
        disk.remove(&folder.join(name))?;
    }
    let file = disk.create_new(draft)?;
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[12..16].copy_from_slice(&FORMAT.to_be_bytes());
    header[16..24].copy_from_slice(&head.sequence.to_be_bytes());
    header[24..].copy_from_slice(&head.hash);
    let check = crc32c::crc32c(&header[12..]);
    header[8..12].copy_from_slice(&check.to_be_bytes());
    file.write_all_at(&header, 0)?;
    let mut chunks =
        Chunks { file: &file, at: HEADER as u64, buffer: Vec::with_capacity(CHUNK), total: 0, check };
    fill(&mut chunks)?;
    chunks.finish()?;
    file.sync_all()?;
    disk.rename(draft, path)?;
    disk.sync_dir(folder)
}

struct Chunks<'a, F> {
    file: &'a F,
    at: u64,
    buffer: Vec<u8>,
    total: u64,
    check: u32,
}

impl<F: DiskFile> Chunks<'_, F> {
    fn emit(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let check = crc32c::crc32c(&self.buffer);
        let mut head = [0; 8];
        head[..4].copy_from_slice(&(self.buffer.len() as u32).to_be_bytes());
        head[4..].copy_from_slice(&check.to_be_bytes());
        self.file.write_all_at(&head, self.at)?;
        self.file.write_all_at(&self.buffer, self.at + 8)?;
        // Now, and not all of it at the end: the journal's own small sync would have to queue behind that.
        self.file.sync_data()?;
        self.at += 8 + self.buffer.len() as u64;
        self.total += self.buffer.len() as u64;
        self.check = crc32c::crc32c_append(self.check, &check.to_be_bytes());
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.emit()?;
        let check = crc32c::crc32c_append(self.check, &self.total.to_be_bytes());
        let mut end = [0; 16];
        end[4..8].copy_from_slice(&check.to_be_bytes());
        end[8..].copy_from_slice(&self.total.to_be_bytes());
        self.file.write_all_at(&end, self.at)
    }
}

impl<F: DiskFile> Write for Chunks<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.emit()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A snapshot being read. Each chunk is checked before a byte of it is given out, and the end before the end is told;
/// `InvalidData` means damage: throw away what was built from it.
pub struct Snapshot<D: Disk> {
    file: D::File,
    head: Head,
    bytes: u64,
    at: u64,
    chunk: Vec<u8>,
    given: usize,
    total: u64,
    check: u32,
    ended: bool,
}

impl<D: Disk> Snapshot<D> {
    fn open(disk: &D, path: &Path) -> io::Result<Self> {
        let file = disk.open_read(path)?;
        let bytes = file.len()?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        let check = crc32c::crc32c(&header[12..]);
        if &header[..8] != MAGIC || check != u32_at(&header, 8) || u32_at(&header, 12) != FORMAT {
            return Err(damaged("its header"));
        }
        let head = Head { sequence: u64_at(&header, 16), hash: array_at(&header, 24) };
        let at = HEADER as u64;
        Ok(Self { file, head, bytes, at, chunk: Vec::new(), given: 0, total: 0, check, ended: false })
    }

    /// The head that the snapshot stands for.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The file's length in bytes, for progress and metrics.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut head = [0; 8];
        self.file.read_exact_at(&mut head, self.at)?;
        let (length, check) = (u32_at(&head, 0) as usize, u32_at(&head, 4));
        if length == 0 {
            let mut total = [0; 8];
            self.file.read_exact_at(&mut total, self.at + 8)?;
            if crc32c::crc32c_append(self.check, &total) != check || u64::from_be_bytes(total) != self.total {
                return Err(damaged("its end"));
            }
            self.ended = true;
            return Ok(());
        }
        if length > CHUNK {
            return Err(damaged("a chunk's length"));
        }
        self.chunk.resize(length, 0);
        self.given = length;
        self.file.read_exact_at(&mut self.chunk, self.at + 8)?;
        if crc32c::crc32c(&self.chunk) != check {
            return Err(damaged("a chunk"));
        }
        self.given = 0;
        self.at += 8 + length as u64;
        self.total += length as u64;
        self.check = crc32c::crc32c_append(self.check, &check.to_be_bytes());
        Ok(())
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} does not verify"))
}

impl<D: Disk> Read for Snapshot<D> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() && !self.ended {
            self.next_chunk()?;
        }
        let left = &self.chunk[self.given..];
        let bytes = left.len().min(to.len());
        to[..bytes].copy_from_slice(&left[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}
