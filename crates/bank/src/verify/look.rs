//! A disk that can only be looked at.

use std::io;
use std::path::Path;

use journal::disk::{Disk, OsDisk, OsFile};

/// The real file system without a way to change it.
///
/// Opening key files removes those that it does not use; here that removes nothing and goes on, so that the
/// same code serves for looking. What would make or change a file fails.
#[derive(Clone, Copy, Debug, Default)]
pub struct LookOnly;

fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "a verification only looks"))
}

impl Disk for LookOnly {
    type File = OsFile;

    fn create_new(&self, _: &Path) -> io::Result<OsFile> {
        refused()
    }

    fn open(&self, _: &Path) -> io::Result<OsFile> {
        refused()
    }

    fn open_read(&self, path: &Path) -> io::Result<OsFile> {
        OsDisk.open_read(path)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        OsDisk.list(dir)
    }

    fn create_dir_all(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        OsDisk.exists(path)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        OsDisk.free_bytes(dir)
    }

    fn lock(&self, _: &Path) -> io::Result<OsFile> {
        refused()
    }
}
