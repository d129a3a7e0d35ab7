//! Open segment files, shared by all readers; a bounded number, so that an old journal does not use up descriptors.

use crate::disk::Disk;
use crate::layout::segment_path;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

const OPEN_MAX: usize = 64;

pub(crate) struct Files<D: Disk> {
    disk: D,
    journal: PathBuf,
    open: Mutex<VecDeque<(u64, Arc<D::File>)>>,
}

impl<D: Disk> Files<D> {
    pub fn new(disk: D, journal: PathBuf) -> Self {
        Self { disk, journal, open: Mutex::new(VecDeque::new()) }
    }

    pub fn get(&self, number: u64) -> io::Result<Arc<D::File>> {
        if let Some((_, file)) = self.open.lock().iter().rev().find(|(found, _)| *found == number) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.disk.open_read(&segment_path(&self.journal, number))?);
        self.put(number, Arc::clone(&file));
        Ok(file)
    }

    pub fn put(&self, number: u64, file: Arc<D::File>) {
        let mut open = self.open.lock();
        if open.len() >= OPEN_MAX {
            open.pop_front();
        }
        open.push_back((number, file));
    }
}
