//! A disk in memory that keeps "written" and "durable" apart.
//!
//! Every change is applied at once to what a reader sees and queued, in order, until a sync makes it durable. A crash
//! takes the durable state plus the part of the queue that a [`Survival`] lets through, and is a new disk: the old one
//! stays as it is, so that one run can be crashed in many ways. Everything is deterministic.
//!
//! It is more pessimistic than any real file system: a synced file whose folder was not synced has no name after a
//! crash, and sectors of one write survive independently.

use super::fault::{Call, Fault, Survival};
use super::{Disk, DiskFile};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SECTOR: usize = 512;

/// A simulated disk. Clones are handles to the same one; [`SimDisk::crash`] and [`SimDisk::fork`] make new ones.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

/// An open file of a [`SimDisk`].
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    inode: u64,
    writable: bool,
    locked: bool,
}

#[derive(Clone, Debug, Default)]
struct State {
    seen: Tree,
    durable: Tree,
    pending: Vec<Pending>,
    next_inode: u64,
    locks: BTreeSet<u64>,
    capacity: Option<u64>,
    faults: Vec<Fault>,
    calls: BTreeMap<Call, u64>,
    changes: u64,
    halt_at: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Tree {
    dirs: BTreeSet<PathBuf>,
    names: BTreeMap<PathBuf, u64>,
    /// Shared until written to, so that forking and crashing a disk is cheap.
    files: BTreeMap<u64, Arc<Vec<u8>>>,
}

#[derive(Clone, Debug)]
enum Pending {
    Data { inode: u64, offset: u64, bytes: Vec<u8> },
    Length { inode: u64, bytes: u64 },
    Name { dir: PathBuf, change: Change },
}

#[derive(Clone, Debug)]
enum Change {
    Create(PathBuf, u64),
    Rename(PathBuf, PathBuf, u64),
    Remove(PathBuf),
    Dir(PathBuf),
}

impl Tree {
    fn write(&mut self, inode: u64, offset: u64, bytes: &[u8]) {
        let file = Arc::make_mut(self.files.entry(inode).or_default());
        let end = offset as usize + bytes.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(bytes);
    }

    fn set_len(&mut self, inode: u64, bytes: u64) {
        Arc::make_mut(self.files.entry(inode).or_default()).resize(bytes as usize, 0);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create(path, inode) => {
                self.names.insert(path.clone(), *inode);
                self.files.entry(*inode).or_default();
            }
            Change::Rename(from, to, inode) => {
                self.names.remove(from);
                self.names.insert(to.clone(), *inode);
                self.files.entry(*inode).or_default();
            }
            Change::Remove(path) => {
                self.names.remove(path);
            }
            Change::Dir(path) => {
                self.dirs.insert(path.clone());
            }
        }
    }

    fn apply(&mut self, pending: &Pending) {
        match pending {
            Pending::Data { inode, offset, bytes } => self.write(*inode, *offset, bytes),
            Pending::Length { inode, bytes } => self.set_len(*inode, *bytes),
            Pending::Name { change, .. } => self.change(change),
        }
    }

    fn drop_nameless(&mut self) {
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        self.files.retain(|inode, _| named.contains(inode));
    }
}

impl State {
    /// Counts the call, and fails it if the plan says so.
    fn enter(&mut self, call: Call) -> io::Result<()> {
        if call.changes() {
            if self.halt_at.is_some_and(|at| self.changes >= at) {
                return Err(io::Error::other("halted (simulated)"));
            }
            self.changes += 1;
        } else if self.halt_at.is_some_and(|at| self.changes > at) {
            return Err(io::Error::other("halted (simulated)"));
        }
        *self.calls.entry(call).or_default() += 1;
        let mut failed = None;
        for fault in &mut self.faults {
            if fault.call != call {
                continue;
            }
            if fault.nth > 0 {
                fault.nth -= 1;
            } else if failed.is_none() {
                failed = Some(fault.errno);
                if !fault.sticky {
                    fault.nth = u64::MAX;
                }
            }
        }
        failed.map_or(Ok(()), |errno| Err(errno.error()))
    }

    fn change(&mut self, change: Change) {
        let path = match &change {
            Change::Create(path, _)
            | Change::Rename(_, path, _)
            | Change::Remove(path)
            | Change::Dir(path) => path,
        };
        let dir = path.parent().unwrap_or(Path::new("")).to_path_buf();
        self.seen.change(&change);
        self.pending.push(Pending::Name { dir, change });
    }

    fn inode(&self, path: &Path) -> io::Result<u64> {
        self.seen.names.get(path).copied().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn create(&mut self, path: &Path) -> io::Result<u64> {
        if path.parent().is_some_and(|dir| !dir.as_os_str().is_empty() && !self.seen.dirs.contains(dir)) {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let inode = self.next_inode;
        self.next_inode += 1;
        self.change(Change::Create(path.to_path_buf(), inode));
        Ok(inode)
    }

    fn used(&self) -> u64 {
        self.seen.names.values().map(|inode| self.seen.files[inode].len() as u64).sum()
    }

    /// Takes what `wanted` picks out of the queue and makes it durable, or drops it if the sync failed.
    fn settle(&mut self, keep: bool, wanted: impl Fn(&Pending) -> bool) {
        let queue = std::mem::take(&mut self.pending);
        for pending in queue {
            if !wanted(&pending) {
                self.pending.push(pending);
            } else if keep {
                self.durable.apply(&pending);
            }
        }
    }
}

impl SimDisk {
    /// An empty disk without limits or faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans a fault; several may be planned.
    pub fn plan(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Forgets all planned faults and the halt.
    pub fn heal(&self) {
        let mut state = self.0.lock();
        state.faults.clear();
        state.halt_at = None;
    }

    /// From the `n`th changing call on (counted from the disk's beginning), every call fails: the process is dead.
    pub fn halt_at(&self, n: u64) {
        self.0.lock().halt_at = Some(n);
    }

    /// How many changing calls there were, for [`SimDisk::halt_at`].
    pub fn changes(&self) -> u64 {
        self.0.lock().changes
    }

    /// How many calls of a kind there were.
    pub fn calls(&self, call: Call) -> u64 {
        self.0.lock().calls.get(&call).copied().unwrap_or(0)
    }

    /// Bounds the bytes that all files together may hold (`None`: unbounded).
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// Bytes held by all files.
    pub fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// How many sectors and changes of names are written but not durable: the range of [`Survival::Sectors`].
    pub fn unsynced_sectors(&self) -> u64 {
        self.0.lock().pending.iter().map(|pending| units(pending, SECTOR)).sum()
    }

    /// The same in bytes, for [`Survival::Bytes`].
    pub fn unsynced_bytes(&self) -> u64 {
        self.0.lock().pending.iter().map(|pending| units(pending, 1)).sum()
    }

    /// What a machine finds after losing power now: a new disk without faults, locks or limits.
    pub fn crash(&self, survival: Survival) -> SimDisk {
        let state = self.0.lock();
        let mut durable = state.durable.clone();
        let mut left = match survival {
            Survival::Nothing => 0,
            Survival::Sectors(n) | Survival::Bytes(n) => n,
            Survival::All | Survival::Subset(_) => u64::MAX,
        };
        let unit = if matches!(survival, Survival::Bytes(_)) { 1 } else { SECTOR };
        let mut draw = match survival {
            Survival::Subset(seed) => Some(Draw(seed)),
            _ => None,
        };
        let mut names_end = false;
        for pending in &state.pending {
            if left == 0 {
                break;
            }
            match pending {
                Pending::Data { inode, offset, bytes } => {
                    let mut at = *offset as usize;
                    let end = at + bytes.len();
                    while at < end && left > 0 {
                        let next = ((at / unit + 1) * unit).min(end);
                        if draw.as_mut().is_none_or(Draw::coin) {
                            durable.write(
                                *inode,
                                at as u64,
                                &bytes[at - *offset as usize..next - *offset as usize],
                            );
                        }
                        at = next;
                        left -= 1;
                    }
                }
                Pending::Length { .. } => {
                    left -= 1;
                    if draw.as_mut().is_none_or(Draw::coin) {
                        durable.apply(pending);
                    }
                }
                Pending::Name { .. } => {
                    left -= 1;
                    names_end = names_end || draw.as_mut().is_some_and(Draw::coin);
                    if !names_end {
                        durable.apply(pending);
                    }
                }
            }
        }
        durable.drop_nameless();
        SimDisk::from_tree(durable, state.next_inode)
    }

    /// What a new process finds after the old one was killed and the machine lived on: all that was written can be
    /// read, and what was not synced is still not durable.
    pub fn fork(&self) -> SimDisk {
        let mut state = self.0.lock().clone();
        state.locks.clear();
        state.faults.clear();
        state.halt_at = None;
        SimDisk(Arc::new(Mutex::new(state)))
    }

    /// A file's bytes as a reader sees them.
    pub fn contents(&self, path: &Path) -> io::Result<Vec<u8>> {
        let state = self.0.lock();
        let inode = state.inode(path)?;
        Ok(state.seen.files[&inode].to_vec())
    }

    /// Replaces a file's bytes behind the program's back, durably: damage, or a relic of another run.
    pub fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut state = self.0.lock();
        let inode = state.inode(path)?;
        let mut bytes = state.seen.files[&inode].to_vec();
        change(&mut bytes);
        let bytes = Arc::new(bytes);
        state.seen.files.insert(inode, bytes.clone());
        state.durable.files.insert(inode, bytes);
        Ok(())
    }

    /// The paths of all files, sorted.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().seen.names.keys().cloned().collect()
    }

    fn from_tree(tree: Tree, next_inode: u64) -> SimDisk {
        let state = State { seen: tree.clone(), durable: tree, next_inode, ..State::default() };
        SimDisk(Arc::new(Mutex::new(state)))
    }

    fn file(&self, inode: u64, writable: bool) -> SimFile {
        SimFile { disk: self.clone(), inode, writable, locked: false }
    }
}

fn units(pending: &Pending, unit: usize) -> u64 {
    match pending {
        Pending::Data { offset, bytes, .. } => {
            let first = *offset as usize / unit;
            (((*offset as usize + bytes.len()).div_ceil(unit)) - first) as u64
        }
        Pending::Length { .. } | Pending::Name { .. } => 1,
    }
}

/// SplitMix64: enough randomness for a coin, the same on every machine for ever.
struct Draw(u64);

impl Draw {
    fn coin(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) & 1 == 1
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create_new(&self, path: &Path) -> io::Result<SimFile> {
        let mut state = self.0.lock();
        state.enter(Call::Create)?;
        if state.seen.names.contains_key(path) || state.seen.dirs.contains(path) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let inode = state.create(path)?;
        Ok(self.file(inode, true))
    }

    fn open(&self, path: &Path) -> io::Result<SimFile> {
        let mut state = self.0.lock();
        state.enter(Call::Open)?;
        Ok(self.file(state.inode(path)?, true))
    }

    fn open_read(&self, path: &Path) -> io::Result<SimFile> {
        let mut state = self.0.lock();
        state.enter(Call::Open)?;
        Ok(self.file(state.inode(path)?, false))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Call::Rename)?;
        let inode = state.inode(from)?;
        state.change(Change::Rename(from.to_path_buf(), to.to_path_buf(), inode));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Call::Remove)?;
        state.inode(path)?;
        state.change(Change::Remove(path.to_path_buf()));
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.0.lock();
        state.enter(Call::List)?;
        if !state.seen.dirs.contains(dir) {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        let inside = state.seen.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Call::Create)?;
        let mut missing: Vec<PathBuf> = dir
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty() && !state.seen.dirs.contains(*path))
            .map(Path::to_path_buf)
            .collect();
        missing.reverse();
        for path in missing {
            state.change(Change::Dir(path));
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.0.lock();
        state.enter(Call::SyncDir)?;
        state.settle(true, |pending| matches!(pending, Pending::Name { dir: of, .. } if of == dir));
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        let state = self.0.lock();
        state.seen.names.contains_key(path) || state.seen.dirs.contains(path)
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let mut state = self.0.lock();
        state.enter(Call::Free)?;
        Ok(state.capacity.map_or(u64::MAX / 2, |capacity| capacity.saturating_sub(state.used())))
    }

    fn lock(&self, path: &Path) -> io::Result<SimFile> {
        let mut state = self.0.lock();
        state.enter(Call::Open)?;
        let inode = match state.inode(path) {
            Ok(inode) => inode,
            Err(_) => state.create(path)?,
        };
        if !state.locks.insert(inode) {
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        let mut file = self.file(inode, true);
        file.locked = true;
        Ok(file)
    }
}

impl DiskFile for SimFile {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.enter(Call::Read)?;
        let offset = offset as usize;
        let bytes = state.seen.files[&self.inode].get(offset..offset + buffer.len());
        buffer.copy_from_slice(bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        if !self.writable {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        let mut outcome = state.enter(Call::Write);
        if outcome.is_err() && state.halt_at.is_some() {
            return outcome;
        }
        let grown = (offset + bytes.len() as u64).saturating_sub(state.seen.files[&self.inode].len() as u64);
        // What a file has already is never refused, however full the disk is.
        let full = grown > 0 && state.capacity.is_some_and(|capacity| state.used() + grown > capacity);
        if outcome.is_ok() && full {
            outcome = Err(super::fault::Errno::NoSpace.error());
        }
        let kept = if outcome.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        state.seen.write(self.inode, offset, kept);
        state.pending.push(Pending::Data { inode: self.inode, offset, bytes: kept.to_vec() });
        outcome
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        let outcome = state.enter(Call::Sync);
        if outcome.is_err() && state.halt_at.is_some() {
            return outcome;
        }
        let (keep, own) = (outcome.is_ok(), self.inode);
        state.settle(keep, |pending| match pending {
            Pending::Data { inode, .. } | Pending::Length { inode, .. } => *inode == own,
            Pending::Name { .. } => false,
        });
        outcome
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.0.lock();
        state.enter(Call::Read)?;
        Ok(state.seen.files[&self.inode].len() as u64)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.0.lock();
        state.enter(Call::SetLen)?;
        state.seen.set_len(self.inode, bytes);
        state.pending.push(Pending::Length { inode: self.inode, bytes });
        Ok(())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if self.locked {
            self.disk.0.lock().locks.remove(&self.inode);
        }
    }
}
