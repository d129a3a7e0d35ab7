//! The reading end: durable records only, by sequence or in order, on any number of threads.
//!
//! Nothing is served that does not verify: each record's checksum and sequence are checked again on the way out, so a
//! bit that flipped on the disk becomes an error and never somebody's money.

use crate::chain::Head;
use crate::disk::Disk;
use crate::error::ReadError;
use crate::files::Files;
use crate::identity::Identity;
use crate::index::Index;
use crate::record::{OwnedRecord, Record};
use crate::scan::Scan;
use crate::spares::Pool;
use crate::watermark::Watermark;
use crate::window::Window;
use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// Bytes read at a time when walking many records.
const SCAN_BYTES: usize = 256 << 10;
/// Bytes read at a time when walking a long way around the page cache, which reads nothing ahead.
const ASIDE_BYTES: usize = 1 << 20;
/// Bytes read at most at a time when looking one up.
const LOOKUP_BYTES: u64 = 16 << 10;
/// Bytes read when the end of a group of records is not known yet.
const LOOKUP_BYTES_MIN: u64 = 4 << 10;

/// Reads durable records. Clones share everything.
pub struct Reader<D: Disk> {
    pub(crate) inner: Arc<Inner<D>>,
}

impl<D: Disk> Clone for Reader<D> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

pub(crate) struct Inner<D: Disk> {
    pub identity: Identity,
    pub index: Arc<Index>,
    pub files: Arc<Files<D>>,
    pub watermark: Arc<Watermark>,
    /// Weak, so that a reader left over does not hold the folder's lock.
    pub pool: Weak<Pool<D>>,
}

/// One segment, for whoever inspects a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The segment's number, from 1.
    pub number: u64,
    /// Its length on disk in bytes.
    pub bytes: u64,
    /// Its first sequence; `None` for a segment without records.
    pub first: Option<u64>,
    /// Its last sequence; `None` for a segment without records.
    pub last: Option<u64>,
    /// Whether it only waits to be used.
    pub spare: bool,
}

impl<D: Disk> Reader<D> {
    /// The last durable sequence: one atomic load.
    pub fn durable(&self) -> u64 {
        self.inner.watermark.sequence()
    }

    /// The last durable sequence and the chain there.
    pub fn head(&self) -> Head {
        self.inner.watermark.head()
    }

    /// Whose journal this is.
    pub fn identity(&self) -> Identity {
        self.inner.identity
    }

    /// Whether a write failed; the watermark then stands still until the process restarts.
    pub fn poisoned(&self) -> bool {
        self.inner.watermark.poisoned()
    }

    /// The failure that poisoned the journal.
    pub fn cause(&self) -> Option<String> {
        self.inner.watermark.cause()
    }

    /// One record; `None` for sequence 0 and above the watermark. One read of a few KiB in the common case.
    ///
    /// # Errors
    /// [`ReadError`]: damage, or the disk refused.
    pub fn record(&self, sequence: u64) -> Result<Option<OwnedRecord>, ReadError> {
        if sequence == 0 || sequence > self.durable() {
            return Ok(None);
        }
        let extent = self.inner.index.find(sequence).and_then(|segment| segment.nearest(sequence)?.2);
        let chunk = extent.unwrap_or(LOOKUP_BYTES_MIN).min(LOOKUP_BYTES);
        let mut scan = Scan::new(self.clone(), sequence, sequence, Window::new(chunk as usize));
        Ok(scan.advance()?.map(|record| record.to_owned()))
    }

    /// The durable records from a sequence on, up to the watermark at this moment.
    pub fn scan(&self, from: u64) -> Scan<D> {
        Scan::new(self.clone(), from, self.durable(), Window::new(SCAN_BYTES))
    }

    /// As [`Reader::scan`], for a long way that nobody walks again soon: around the page cache.
    pub fn scan_aside(&self, from: u64) -> Scan<D> {
        Scan::new(self.clone(), from, self.durable(), Window::aside(ASIDE_BYTES))
    }

    /// Calls `each` for the durable records from `from` to `to`, both included, until it breaks.
    ///
    /// # Errors
    /// [`ReadError`]: damage, or the disk refused; what came before it was good.
    pub fn for_each(
        &self,
        from: u64,
        to: u64,
        mut each: impl FnMut(Record<'_>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut scan = Scan::new(self.clone(), from, to.min(self.durable()), Window::new(SCAN_BYTES));
        while let Some(record) = scan.advance()? {
            if each(record).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Calls `listener` with each new watermark, on the writer's thread: it must be quick and must not append.
    pub fn on_durable(&self, listener: Box<dyn Fn(u64) + Send + Sync>) {
        self.inner.watermark.listen(listener);
    }

    /// Waits until the watermark is above `beyond`, the journal is poisoned, or the time is over; the watermark then.
    pub fn wait(&self, beyond: u64, at_most: Duration) -> u64 {
        self.inner.watermark.wait(beyond, at_most)
    }

    /// All segments, spares included.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let used = self.inner.index.all().into_iter().map(|segment| {
            let end = segment.end();
            let filled = end > segment.first;
            SegmentInfo {
                number: segment.number,
                bytes: segment.bytes,
                first: filled.then_some(segment.first),
                last: filled.then(|| end - 1),
                spare: false,
            }
        });
        let spares = self.inner.pool.upgrade().map(|pool| pool.spares()).unwrap_or_default();
        let spares = spares.into_iter().map(|(number, bytes)| SegmentInfo {
            number,
            bytes,
            first: None,
            last: None,
            spare: true,
        });
        used.chain(spares).collect()
    }

    /// Bytes of all segments, spares included.
    pub fn bytes_on_disk(&self) -> u64 {
        self.segments().iter().map(|segment| segment.bytes).sum()
    }
}
