//! A run: one immutable file of sorted entries, with its filter and fences in memory.
//!
//! A look-up asks the filter (memory), finds the one block that can hold the digest by the fences (memory:
//! the first eight bytes of each block's first digest), reads that block and checks it. Equal digests may
//! fill many blocks (references); then the fences name a stretch of blocks, which is searched by halves.
//!
//! The file handle stays open as long as the run is used, so a merged run may be unlinked under its readers.
//! It is boxed, so that everything above this file is free of the disk's type.

use std::io;
use std::path::{Path, PathBuf};

use super::digest::{Digest, Entry};
use super::error::KeysError;
use super::filter::{Filter, LINE_BYTES};
use super::format::{BLOCK_BYTES, Block, ENTRIES_A_BLOCK, FENCE_BYTES, Header, Range};
use crate::disk::{Disk, DiskFile};

/// Bytes read at once where a file is read from end to end.
const CHUNK_BYTES: usize = 256 * 1024;

/// Blocks in a chunk.
pub(super) const CHUNK_BLOCKS: usize = CHUNK_BYTES / BLOCK_BYTES;

pub(super) struct Run {
    path: PathBuf,
    header: Header,
    seed: u32,
    file: Box<dyn DiskFile>,
    fences: Vec<u64>,
    filter: Filter,
}

type Page = Block<[u8; BLOCK_BYTES]>;

impl Run {
    /// Opens a file and loads filter and fences, each checked; blocks are checked when they are read.
    pub(super) fn open<D: Disk>(disk: &D, path: &Path, identity: &[u8; 32]) -> Result<Self, KeysError> {
        let file = disk.open_read(path).map_err(KeysError::io("open", path))?;
        let read = |bytes: &mut [u8], at: u64| read_checked(&file, path, bytes, at);
        let mut bytes = [0; BLOCK_BYTES];
        read(&mut bytes, 0)?;
        let header = Header::decode(&bytes).map_err(|what| KeysError::damaged(path, 0, what))?;
        if header.identity != *identity {
            return Err(KeysError::damaged(path, 16, "written for another bank, timeline or kind of claims"));
        }
        if path.file_name().and_then(|name| name.to_str()) != Some(&header.range.file_name()) {
            return Err(KeysError::damaged(path, 48, "the range is not the name's"));
        }
        if file.len().map_err(KeysError::io("measure", path))? != header.file_bytes() {
            return Err(KeysError::damaged(path, header.file_bytes(), "the file's length"));
        }

        let mut chunk = vec![0; CHUNK_BYTES];
        let mut fences = Vec::with_capacity(header.blocks() as usize);
        let mut crc = 0;
        for (at, len) in chunks(header.fences_at(), header.filter_at()) {
            let bytes = &mut chunk[..len];
            read(bytes, at)?;
            crc = crc32c::crc32c_append(crc, bytes);
            let fence = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
            fences.extend(bytes.chunks_exact(FENCE_BYTES).map(fence));
        }
        if crc != header.fences_crc {
            return Err(KeysError::damaged(path, header.fences_at(), "the fences' checksum"));
        }
        let mut filter = Filter::new(header.entries);
        let mut crc = 0;
        for (at, len) in chunks(header.filter_at(), header.file_bytes()) {
            let bytes = &mut chunk[..len];
            read(bytes, at)?;
            crc = crc32c::crc32c_append(crc, bytes);
            filter.read((at - header.filter_at()) as usize / LINE_BYTES, bytes);
        }
        if crc != header.filter_crc {
            return Err(KeysError::damaged(path, header.filter_at(), "the filter's checksum"));
        }
        Ok(Self::assemble(path.to_path_buf(), header, Box::new(file), fences, filter))
    }

    /// A run whose parts are known to be good: just written, or just checked.
    pub(super) fn assemble(
        path: PathBuf,
        header: Header,
        file: Box<dyn DiskFile>,
        fences: Vec<u64>,
        filter: Filter,
    ) -> Self {
        Self { seed: header.seed(), path, header, file, fences, filter }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn range(&self) -> Range {
        self.header.range
    }

    pub(super) fn blocks(&self) -> u64 {
        self.header.blocks()
    }

    pub(super) fn entries(&self) -> u64 {
        self.header.entries
    }

    pub(super) fn tier(&self) -> u32 {
        self.header.tier
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.filter.bytes() + self.fences.len() * FENCE_BYTES
    }

    /// Has the disk fetch the block that [`Run::find`] will read for this digest, without waiting for it.
    pub(super) fn foresee(&self, digest: &Digest) {
        let block = self.fences.partition_point(|fence| *fence < digest.high).saturating_sub(1);
        self.file.read_ahead(Header::block_at(block as u64), BLOCK_BYTES as u64);
    }

    /// The smallest value of this digest, if it is here. Reads without asking the filter.
    pub(super) fn find(&self, digest: &Digest) -> Result<Option<u64>, KeysError> {
        let mut page = Block([0; BLOCK_BYTES]);
        let (mut block, mut at) = self.lower_bound(&Entry::new(*digest, 0), &mut page)?;
        if at == self.header.entries_in(block) {
            // The entry that follows is the next block's first, which the fence describes well enough.
            if self.fences.get(block as usize + 1) != Some(&digest.high) {
                return Ok(None);
            }
            (block, at) = (block + 1, 0);
            self.read_page(block, &mut page)?;
        }
        let entry = page.entry(at);
        Ok((entry.digest == *digest).then_some(entry.value))
    }

    /// Appends the largest values of this digest below `before`, in descending order, `limit` at most.
    pub(super) fn find_before(
        &self,
        digest: &Digest,
        before: u64,
        limit: usize,
        found: &mut Vec<u64>,
    ) -> Result<(), KeysError> {
        let mut page = Block([0; BLOCK_BYTES]);
        let (mut block, mut at) = self.lower_bound(&Entry::new(*digest, before), &mut page)?;
        for _ in 0..limit {
            if at == 0 {
                if block == 0 {
                    return Ok(());
                }
                block -= 1;
                self.read_page(block, &mut page)?;
                at = self.header.entries_in(block);
            }
            at -= 1;
            let entry = page.entry(at);
            if entry.digest != *digest {
                return Ok(());
            }
            found.push(entry.value);
        }
        Ok(())
    }

    /// The place behind the last entry smaller than `target`: a block, which `page` then holds, and an index
    /// up to and including the block's count.
    fn lower_bound(&self, target: &Entry, page: &mut Page) -> Result<(u64, usize), KeysError> {
        let high = target.digest.high;
        let mut first = self.fences.partition_point(|fence| *fence < high).saturating_sub(1);
        let mut end = self.fences.partition_point(|fence| *fence <= high).max(first + 1);
        while end - first > 1 {
            let middle = first + (end - first) / 2;
            self.read_page(middle as u64, page)?;
            if page.entry(0) < *target { first = middle } else { end = middle }
        }
        self.read_page(first as u64, page)?;
        Ok((first as u64, page.lower_bound(self.header.entries_in(first as u64), target)))
    }

    fn read_page(&self, block: u64, page: &mut Page) -> Result<(), KeysError> {
        read_checked(&*self.file, &self.path, &mut page.0, Header::block_at(block))?;
        self.check(block, page)
    }

    fn check<B: AsRef<[u8]>>(&self, block: u64, bytes: &Block<B>) -> Result<(), KeysError> {
        bytes
            .check(self.seed, block, self.header.entries_in(block))
            .map_err(|what| KeysError::damaged(&self.path, Header::block_at(block), what))
    }

    /// Appends the entries of up to [`CHUNK_BLOCKS`] blocks from `block` on; answers the block that follows.
    /// `scratch` is the caller's, so that a merge does not ask the kernel for fresh pages at every chunk.
    pub(super) fn read_chunk(
        &self,
        block: u64,
        scratch: &mut Vec<u8>,
        to: &mut Vec<Entry>,
    ) -> Result<u64, KeysError> {
        let end = (block + CHUNK_BLOCKS as u64).min(self.header.blocks());
        scratch.resize((end - block) as usize * BLOCK_BYTES, 0);
        read_checked(&*self.file, &self.path, scratch, Header::block_at(block))?;
        to.reserve((end - block) as usize * ENTRIES_A_BLOCK);
        for (number, bytes) in (block..end).zip(scratch.chunks_exact(BLOCK_BYTES)) {
            let page = Block(bytes);
            self.check(number, &page)?;
            to.extend((0..self.header.entries_in(number)).map(|at| page.entry(at)));
        }
        Ok(end)
    }

    /// Reads and checks every block, and that order, fences and filter agree with it.
    pub(super) fn verify(&self) -> Result<(), KeysError> {
        let mut last = None;
        let mut block = 0;
        let (mut scratch, mut entries) = (Vec::new(), Vec::new());
        while block < self.header.blocks() {
            entries.clear();
            let damaged = |what| KeysError::damaged(&self.path, Header::block_at(block), what);
            let next = self.read_chunk(block, &mut scratch, &mut entries)?;
            for (i, entry) in entries.iter().enumerate() {
                if last.is_some_and(|last| last > *entry) {
                    return Err(damaged("the order of entries"));
                }
                let fence = block as usize + i / ENTRIES_A_BLOCK;
                if i % ENTRIES_A_BLOCK == 0 && self.fences[fence] != entry.digest.high {
                    return Err(damaged("the fence of a block"));
                }
                if !self.filter.may_contain(&entry.digest) {
                    return Err(damaged("an entry that the filter denies"));
                }
                last = Some(*entry);
            }
            block = next;
        }
        Ok(())
    }
}

/// A file that ends early is damage, like a bad checksum; other errors may pass.
fn read_checked<F: DiskFile + ?Sized>(
    file: &F,
    path: &Path,
    to: &mut [u8],
    at: u64,
) -> Result<(), KeysError> {
    file.read_exact_at(to, at).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => KeysError::damaged(path, at, "the file ends early"),
        _ => KeysError::io("read", path)(error),
    })
}

/// `[from, to)` in chunks: offset and length of each.
fn chunks(from: u64, to: u64) -> impl Iterator<Item = (u64, usize)> {
    (from..to).step_by(CHUNK_BYTES).map(move |at| (at, (to - at).min(CHUNK_BYTES as u64) as usize))
}
