//! Opening: walk, decide what the tail is, mend it, and only then hand out the two ends.
//!
//! Order: every refusal comes before the first write. Then the torn tail is zeroed and synced; the last frame, an empty one
//! too, is written again and synced (what only the page cache has seen proves nothing); then an empty
//! frame confirms it, if it held records. A crash anywhere in between finds the same records again.

use crate::appender::{Appender, Current};
use crate::chain::Head;
use crate::disk::{Disk, DiskFile};
use crate::error::{AppendError, Damage, OpenError};
use crate::files::Files;
use crate::folder::Folder;
use crate::frame::FrameHeader;
use crate::index::{Index, SegmentIndex};
use crate::layout::{BLOCK, FIRST_FRAME, journal_dir, number_in, segment_path};
use crate::reader::{Inner, Reader};
use crate::record::Record;
use crate::sidecar;
use crate::spares::{Background, Pool, Spare};
use crate::tail::{Rest, Search, zero};
use crate::walk::{self, Stop, Walk};
use crate::watermark::Watermark;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An open journal: its two ends, and the owner of its background thread. Take it apart as needed.
pub struct Journal<D: Disk> {
    /// The writing end.
    pub appender: Appender<D>,
    /// The reading end.
    pub reader: Reader<D>,
    /// The background thread's owner; keep it as long as the appender.
    pub background: Background,
}

/// What opening found.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The last record and the chain there.
    pub head: Head,
    /// Records handed to the replay.
    pub replayed: u64,
    /// The torn tail that was cut, if there was one; it was never acknowledged.
    pub cut: Option<Cut>,
    /// Segments that were read rather than known from their sidecars.
    pub segments_read: u64,
    /// How long it took.
    pub took: Duration,
}

/// A torn tail that was zeroed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment's number.
    pub segment: u64,
    /// The byte offset where the torn frame began.
    pub offset: u64,
    /// How many bytes were zeroed.
    pub bytes: u64,
    /// The sequence that would have come next; it was not acknowledged.
    pub expected: u64,
    /// What was wrong with the frame.
    pub what: &'static str,
}

/// What the walk learnt.
struct Walked {
    segments: Vec<Arc<SegmentIndex>>,
    /// Sealed segments whose sidecar is missing or wrong.
    stale: Vec<Arc<SegmentIndex>>,
    stop: Stop,
    last: Option<FrameHeader>,
    head: Head,
    replayed: u64,
    read: u64,
}

pub(crate) fn recover<D: Disk>(
    folder: Folder<D>,
    after: Option<Head>,
    replay: &mut dyn FnMut(Record<'_>),
) -> Result<(Journal<D>, Recovery), OpenError> {
    let began = Instant::now();
    let journal = journal_dir(&folder.dir);
    let (numbers, unfinished) = list(&folder.disk, &journal)?;
    let walked = walk(&folder, &journal, &numbers, after, replay)?;
    let current = walked.segments.last().expect("the walk ends in a segment").number;
    let later: Vec<u64> = numbers.range(current + 1..).copied().collect();
    let rest = look_behind(&folder, &journal, &walked, current, &later)?;
    if after.is_some_and(|after| after.sequence > walked.head.sequence) {
        let what = "the journal ends before a sequence that a snapshot holds";
        return Err(damage(&walked, current, walked.stop.offset, what));
    }

    for path in &unfinished {
        folder.disk.remove(path).map_err(OpenError::io("remove", path))?;
    }
    // Names that only the cache has seen prove as little as bytes.
    for dir in [&folder.dir, &journal] {
        folder.disk.sync_dir(dir).map_err(OpenError::io("sync", dir))?;
    }
    let cut = mend(&folder, &journal, &walked, current, &rest)?;
    let ready = spares(&folder, &journal, &later)?;
    let (head, replayed, segments_read) = (walked.head, walked.replayed, walked.read);
    let journal = build(folder, journal, walked, ready)?;
    let recovery = Recovery { head, replayed, cut, segments_read, took: began.elapsed() };
    Ok((journal, recovery))
}

/// The numbers of the segments, and the files that an interrupted making left.
fn list<D: Disk>(disk: &D, journal: &Path) -> Result<(BTreeSet<u64>, Vec<PathBuf>), OpenError> {
    let (mut numbers, mut unfinished) = (BTreeSet::new(), Vec::new());
    for name in disk.list(journal).map_err(OpenError::io("list", journal))? {
        if let Some(number) = number_in(&name, "seg") {
            numbers.insert(number);
        } else if number_in(&name, "new").is_some() || number_in(&name, "tmp").is_some() {
            unfinished.push(journal.join(name));
        }
    }
    Ok((numbers, unfinished))
}

fn walk<D: Disk>(
    folder: &Folder<D>,
    journal: &Path,
    numbers: &BTreeSet<u64>,
    after: Option<Head>,
    replay: &mut dyn FnMut(Record<'_>),
) -> Result<Walked, OpenError> {
    let (disk, identity) = (&folder.disk, folder.identity);
    let head = Head::start(&identity);
    let mut walk = Walk { disk, journal, identity, after, replay, head, replayed: 0, last: None };
    walk.check_after()?;
    let mut segments: Vec<Arc<SegmentIndex>> = Vec::new();
    let (mut stale, mut read, mut number, mut trust) = (Vec::new(), 0, 1, after.is_some());
    loop {
        if !numbers.contains(&number) {
            return Err(walk.damage(number, 0, "the segment's file is missing"));
        }
        let sidecar = sidecar::read(disk, journal, &identity, number)
            .filter(|found| found.first == walk.head.sequence + 1 && found.before == walk.head.hash);
        let below = |found: &SegmentIndex| after.is_some_and(|after| found.end() <= after.sequence + 1);
        if trust && let Some(found) = sidecar.as_ref().filter(|found| below(found)) {
            let table = found.table();
            let end = Head { sequence: table.end - 1, hash: table.after };
            // Only a segment that another one goes on from is known to be complete.
            if walk::header(disk, journal, identity, number)?.is_some()
                && walk.continues_in(number + 1, &end)?
            {
                walk.head = end;
                walk.check_after()?;
                segments.extend(sidecar.map(Arc::new));
                number += 1;
                continue;
            }
        }
        let Some(header) = walk::header(disk, journal, identity, number)? else {
            return Err(walk.damage(number, 0, "the segment's header is damaged or the file is cut short"));
        };
        let (index, stop) = walk.segment(&header)?;
        read += 1;
        if walk.last.is_none()
            && let Some(known) = segments.pop()
        {
            // The torn frame is the first of its segment, so the last good one is in a segment that was not read.
            trust = false;
            number = known.number;
            walk.head = Head { sequence: known.first - 1, hash: known.before };
            continue;
        }
        let goes_on = walk.continues_in(number + 1, &walk.head)?;
        segments.push(Arc::clone(&index));
        // A good header whose records are torn is the tail, but it is in the next segment.
        if !goes_on {
            let Walk { head, last, replayed, .. } = walk;
            return Ok(Walked { segments, stale, stop, last, head, replayed, read });
        }
        if sidecar.is_none_or(|found| found.table() != index.table() || found.bytes != index.bytes) {
            stale.push(index);
        }
        number += 1;
    }
}

/// Decides whether what lies behind the last good frame may be cut.
fn look_behind<D: Disk>(
    folder: &Folder<D>,
    journal: &Path,
    walked: &Walked,
    current: u64,
    later: &[u64],
) -> Result<Rest, OpenError> {
    let search = Search { journal, identity: folder.identity, expected: walked.head.sequence + 1 };
    let mut rest = Rest::default();
    let stop = walked.stop;
    search.segment(&folder.disk, current, (stop.offset, stop.reach), &mut rest)?;
    if rest.follower.is_some() {
        return Err(damage(walked, current, stop.offset, stop.what));
    }
    let clean = rest.dirty.is_empty();
    // Spares are made one after the other, so a gap is a file that somebody lost, and it may have held frames.
    for (number, expected) in later.iter().zip(current + 1..) {
        if *number != expected {
            return Err(damage(walked, expected, 0, "the segment's file is missing"));
        }
        search.segment(&folder.disk, *number, (FIRST_FRAME, FIRST_FRAME), &mut rest)?;
    }
    match rest.follower {
        None => Ok(rest),
        // The current segment ends cleanly: the damage is where the next frame should be.
        Some(_) if clean => {
            Err(damage(walked, current + 1, 0, "the segment does not continue the one before"))
        }
        Some(_) => Err(damage(walked, current, stop.offset, stop.what)),
    }
}

fn damage(walked: &Walked, segment: u64, offset: u64, what: &'static str) -> OpenError {
    let here = offset == walked.stop.offset;
    let sequence = if here { walked.stop.sequence } else { walked.head.sequence + 1 };
    OpenError::Damage(Damage { segment, offset, sequence, what })
}

/// Zeroes the torn tail and writes the last frame again: an empty one that is lost leaves a hole before all that follow.
fn mend<D: Disk>(
    folder: &Folder<D>,
    journal: &Path,
    walked: &Walked,
    current: u64,
    rest: &Rest,
) -> Result<Option<Cut>, OpenError> {
    let disk = &folder.disk;
    let mut bytes = 0;
    for (number, offset, length) in &rest.dirty {
        let path = segment_path(journal, *number);
        let file = disk.open(&path).map_err(OpenError::io("open", &path))?;
        zero(&file, *offset, *length).map_err(OpenError::io("write", &path))?;
        file.sync_data().map_err(OpenError::io("sync", &path))?;
        bytes += length;
    }
    if let Some(last) = walked.last {
        let path = segment_path(journal, last.segment);
        let file = disk.open(&path).map_err(OpenError::io("open", &path))?;
        let mut frame = vec![0; last.bytes() as usize];
        file.read_exact_at(&mut frame[..last.content()], last.offset)
            .map_err(OpenError::io("read", &path))?;
        file.write_all_at(&frame, last.offset).map_err(OpenError::io("write", &path))?;
        file.sync_data().map_err(OpenError::io("sync", &path))?;
    }
    let Some((segment, offset, _)) = rest.dirty.first().copied() else { return Ok(None) };
    let offset = if segment == current { walked.stop.offset } else { offset };
    let expected = walked.head.sequence + 1;
    tracing::warn!(segment, offset, bytes, expected, "cut a torn tail; it was never acknowledged");
    Ok(Some(Cut { segment, offset, bytes, expected, what: walked.stop.what }))
}

/// Opens the segments behind the current one; they hold no frame. From the first that is not whole on they are removed,
/// the last one first so that no crash leaves a gap, and made again.
fn spares<D: Disk>(
    folder: &Folder<D>,
    journal: &Path,
    later: &[u64],
) -> Result<BTreeMap<u64, Spare<D::File>>, OpenError> {
    let disk = &folder.disk;
    let mut ready = BTreeMap::new();
    for (place, number) in later.iter().enumerate() {
        let path = segment_path(journal, *number);
        let Some(header) = walk::header(disk, journal, folder.identity, *number)? else {
            for number in later[place..].iter().rev() {
                let path = segment_path(journal, *number);
                disk.remove(&path).map_err(OpenError::io("remove", &path))?;
                disk.sync_dir(journal).map_err(OpenError::io("sync", journal))?;
            }
            break;
        };
        let file = Arc::new(disk.open(&path).map_err(OpenError::io("open", &path))?);
        ready.insert(*number, Spare { file, bytes: header.bytes });
    }
    Ok(ready)
}

fn build<D: Disk>(
    folder: Folder<D>,
    journal: PathBuf,
    walked: Walked,
    ready: BTreeMap<u64, Spare<D::File>>,
) -> Result<Journal<D>, OpenError> {
    let Folder { disk, dir: _, identity, options, lock } = folder;
    let Walked { segments, stale, stop, last, head, .. } = walked;
    let last_segment = Arc::clone(segments.last().expect("the walk ends in a segment"));
    let path = segment_path(&journal, last_segment.number);
    let file = Arc::new(disk.open(&path).map_err(OpenError::io("open", &path))?);
    let current = Current { file: Arc::clone(&file), index: last_segment, at: stop.offset };
    let (number, rest) = (current.index.number, current.rest());
    let unconfirmed = last.is_some_and(|last| last.records > 0);
    let must_roll = unconfirmed && rest < BLOCK as u64 && !ready.contains_key(&(number + 1));

    let files = Arc::new(Files::new(disk.clone(), journal.clone()));
    files.put(number, file);
    let pool = Pool::new((disk, journal, lock), identity, options, (number, rest), ready, stale);
    let pool = Arc::new(pool);
    if must_roll {
        pool.make_anyway(number + 1).map_err(OpenError::io("create", &path))?;
    }
    let index = Arc::new(Index::new(segments));
    let watermark = Arc::new(Watermark::new(head));
    let inner = Inner {
        identity,
        index: Arc::clone(&index),
        files: Arc::clone(&files),
        watermark: Arc::clone(&watermark),
        pool: Arc::downgrade(&pool),
    };
    let frame_bytes_max = options.frame_bytes_max;
    let offsets = Vec::new();
    let mut appender = Appender {
        pool,
        watermark,
        index,
        files,
        identity,
        frame_bytes_max,
        current,
        head,
        unconfirmed,
        offsets,
    };
    appender.confirm().map_err(|error| match error {
        AppendError::Full(_) => OpenError::NoSpace { path: path.clone() },
        other => OpenError::io("write", &path)(std::io::Error::other(other.to_string())),
    })?;
    appender.pool.maintain();
    let background = Background::start(&appender.pool).map_err(OpenError::io("start a thread for", &path))?;
    Ok(Journal { appender, reader: Reader { inner: Arc::new(inner) }, background })
}
