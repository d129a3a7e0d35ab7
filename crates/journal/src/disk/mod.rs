//! The one seam to the file system.
//!
//! Everything the journal does to a disk goes through [`Disk`] and [`DiskFile`], so that a test can stand between the
//! two: [`SimDisk`] keeps "written" and "durable" apart, fails the Nth call and crashes anywhere. The traits are as
//! narrow as the journal's needs: positioned reads and writes, explicit syncs of files and of folders, no seeking, no
//! appending, no buffering.
//!
//! Ordering: nothing is durable before the matching sync returned: a file's bytes and length by [`DiskFile::sync_data`]
//! or [`DiskFile::sync_all`], a name (created, renamed, removed) by [`Disk::sync_dir`] of its folder.

pub mod fault;
mod os;
pub mod sim;

pub use os::{OsDisk, OsFile};
pub use sim::{SimDisk, SimFile};

use std::io;
use std::path::Path;

/// A file system: the real one or a simulated one. Clones are handles to the same one.
pub trait Disk: Clone + Send + Sync + 'static {
    /// An open file of this file system.
    type File: DiskFile;

    /// Creates a file for reading and writing; `AlreadyExists` if the name is taken.
    fn create_new(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens an existing file for reading.
    fn open_read(&self, path: &Path) -> io::Result<Self::File>;
    /// Renames a file, replacing what has the new name. Durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file's name. Durable after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names of the files (not folders) in a folder, sorted.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Creates a folder and what is missing above it.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Whether a file or folder of that name exists.
    fn exists(&self, path: &Path) -> bool;
    /// Bytes free for an ordinary user on the file system that holds `dir`.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
    /// Opens (creating it if need be) and locks a file for this process alone; `WouldBlock` if it is held. The lock
    /// lives as long as the file returned.
    fn lock(&self, path: &Path) -> io::Result<Self::File>;
}

/// An open file. All calls take a place and leave no cursor behind, so one file serves many threads.
pub trait DiskFile: Send + Sync + 'static {
    /// Fills `buffer` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`. After an error any part of them may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// As [`DiskFile::write_all_at`], for whole blocks of 4096 bytes that nobody is likely to read soon: they need not
    /// pass through the page cache.
    fn write_blocks_at(&self, blocks: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(blocks, offset)
    }
    /// As [`DiskFile::read_exact_at`], for whole blocks of 4096 bytes that nobody is likely to read again soon: they need
    /// not pass through the page cache.
    fn read_blocks_at(&self, blocks: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(blocks, offset)
    }
    /// Says that this stretch will be read next. Changes nothing but how long that takes.
    fn read_ahead(&self, _offset: u64, _bytes: u64) {}
    /// Makes the written bytes durable, and the length if it changed. A failure is final: never retry it.
    fn sync_data(&self) -> io::Result<()>;
    /// As [`DiskFile::sync_data`], with all metadata.
    fn sync_all(&self) -> io::Result<()>;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or grows (with zeros) the file.
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// Whether the file holds no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}
