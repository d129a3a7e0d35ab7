//! Writes a run: entries in order, then fences, then the filter, then the header; sync, rename, sync.
//!
//! The number of entries is known before the first one, so every offset is too and the file is written front to
//! back. It grows under a temporary name: a `.run` file is complete or damaged, never half written. Every
//! few megabytes are synced, so that a large run does not leave gigabytes for one sync at the end, behind
//! which the journal's own small sync would have to queue.

use std::path::{Path, PathBuf};

use super::digest::Entry;
use super::error::KeysError;
use super::filter::{Filter, LINE_BYTES};
use super::format::{BLOCK_BYTES, Block, ENTRIES_A_BLOCK, Header};
use super::run::Run;
use crate::disk::{Disk, DiskFile};

const WRITE_BYTES: usize = 256 * 1024;
const SYNC_BYTES: u64 = 1024 * 1024;

pub(super) struct RunWriter<D: Disk> {
    disk: D,
    dir: PathBuf,
    temp: PathBuf,
    file: D::File,
    header: Header,
    seed: u32,
    block: Block<[u8; BLOCK_BYTES]>,
    in_block: usize,
    pushed: u64,
    buffer: Vec<u8>,
    written: u64,
    synced: u64,
    fences: Vec<u64>,
    filter: Filter,
}

impl<D: Disk> RunWriter<D> {
    /// Starts a file for exactly `header.entries` entries. Nothing is written if that would leave less than
    /// `reserve` bytes free.
    pub(super) fn create(disk: &D, dir: &Path, header: Header, reserve: u64) -> Result<Self, KeysError> {
        let free = disk.free_bytes(dir).map_err(KeysError::io("measure", dir))?;
        let needed = header.file_bytes() + reserve;
        if free < needed {
            return Err(KeysError::NoSpace { dir: dir.to_path_buf(), needed, free });
        }
        let temp = dir.join(header.range.temp_name());
        if disk.exists(&temp) {
            disk.remove(&temp).map_err(KeysError::io("remove", &temp))?;
        }
        let file = disk.create_new(&temp).map_err(KeysError::io("create", &temp))?;
        Ok(Self {
            disk: disk.clone(),
            dir: dir.to_path_buf(),
            temp,
            file,
            seed: header.seed(),
            block: Block([0; BLOCK_BYTES]),
            in_block: 0,
            pushed: 0,
            buffer: Vec::with_capacity(WRITE_BYTES + BLOCK_BYTES),
            written: Header::block_at(0),
            synced: 0,
            fences: Vec::with_capacity(header.blocks() as usize),
            filter: Filter::new(header.entries),
            header,
        })
    }

    /// Appends the next entry; entries come in order.
    pub(super) fn push(&mut self, entry: &Entry) -> Result<(), KeysError> {
        if self.in_block == 0 {
            self.fences.push(entry.digest.high);
        }
        self.filter.insert(&entry.digest);
        self.block.put(self.in_block, entry);
        self.in_block += 1;
        self.pushed += 1;
        if self.in_block == ENTRIES_A_BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), KeysError> {
        self.block.close(self.seed, self.fences.len() as u64 - 1, self.in_block);
        self.buffer.extend_from_slice(&self.block.0);
        self.block.0.fill(0);
        self.in_block = 0;
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), KeysError> {
        let whole = |bytes: u64| bytes.is_multiple_of(BLOCK_BYTES as u64);
        let (bytes, at) = (self.buffer.len() as u64, self.written);
        // Around the page cache and, once there, back into it for the look-ups: the disk fetches it by itself, while
        // copying was 44 of 100 parts of what filing cost the processor.
        let written = match whole(bytes) && whole(at) {
            true => self.file.write_blocks_at(&self.buffer, at),
            false => self.file.write_all_at(&self.buffer, at),
        };
        written.map_err(KeysError::io("write", &self.temp))?;
        self.written += bytes;
        self.buffer.clear();
        if self.written - self.synced >= SYNC_BYTES {
            self.file.sync_data().map_err(KeysError::io("sync", &self.temp))?;
            self.file.read_ahead(self.synced, self.written - self.synced);
            self.synced = self.written;
        }
        Ok(())
    }

    /// Completes the file and gives it its name. After an error the name may or may not be there; either way
    /// the entries are written again under the same name.
    pub(super) fn finish(mut self) -> Result<Run, KeysError> {
        match self.complete() {
            Ok(path) => {
                let file = self.disk.open_read(&path).map_err(KeysError::io("open", &path))?;
                Ok(Run::assemble(path, self.header, Box::new(file), self.fences, self.filter))
            }
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    fn complete(&mut self) -> Result<PathBuf, KeysError> {
        assert_eq!(self.pushed, self.header.entries, "a run holds what it was announced to hold");
        if self.in_block > 0 {
            self.end_block()?;
        }
        self.flush()?;
        for at in 0..self.fences.len() {
            let fence = self.fences[at].to_be_bytes();
            self.header.fences_crc = crc32c::crc32c_append(self.header.fences_crc, &fence);
            self.buffer.extend_from_slice(&fence);
            if self.buffer.len() >= WRITE_BYTES {
                self.flush()?;
            }
        }
        self.flush()?;
        let lines = self.filter.bytes() / LINE_BYTES;
        for first in (0..lines).step_by(WRITE_BYTES / LINE_BYTES) {
            self.buffer.resize((lines - first).min(WRITE_BYTES / LINE_BYTES) * LINE_BYTES, 0);
            self.filter.write(first, &mut self.buffer);
            self.header.filter_crc = crc32c::crc32c_append(self.header.filter_crc, &self.buffer);
            self.flush()?;
        }
        debug_assert_eq!(self.written, self.header.file_bytes());
        self.file.write_all_at(&self.header.encode(), 0).map_err(KeysError::io("write", &self.temp))?;
        self.file.sync_all().map_err(KeysError::io("sync", &self.temp))?;

        let path = self.dir.join(self.header.range.file_name());
        self.disk.rename(&self.temp, &path).map_err(KeysError::io("rename", &self.temp))?;
        self.disk.sync_dir(&self.dir).map_err(KeysError::io("sync", &self.dir))?;
        Ok(path)
    }

    /// Gives up. What cannot be removed is removed when the folder is next opened.
    pub(super) fn abandon(self) {
        let _ = self.disk.remove(&self.temp);
    }
}
