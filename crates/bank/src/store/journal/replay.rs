//! Replay, on two threads: one walks the journal (checksums, chain), the other folds what it finds.
//!
//! Each costs about as much as the other, so a start takes half as long as it would on one thread. Records
//! travel in chunks; the channel is short, so memory stays small.

use journal::disk::Disk;
use journal::{Folder, Head, Journal, Recovery};
use ledger::{Event, State, codec};

use super::open::OpenError;

/// Bytes of records in one chunk.
const CHUNK: usize = 1 << 20;

/// Chunks on their way.
const AHEAD: usize = 4;

/// What the journal says, and whether all of it could be folded.
type Replayed<D> = (Result<(Journal<D>, Recovery), journal::OpenError>, Result<(), OpenError>);

/// Opens the journal and folds every record after `after` into `state`.
pub(super) fn replay<D: Disk>(folder: Folder<D>, after: Option<Head>, state: &mut State) -> Replayed<D> {
    let (chunks, arriving) = crossbeam_channel::bounded::<Vec<u8>>(AHEAD);
    std::thread::scope(|scope| {
        let folding = scope.spawn(move || arriving.iter().try_for_each(|chunk| fold(&chunk, state)));
        let mut chunk = Vec::with_capacity(CHUNK);
        let result = folder.recover(after, &mut |record| {
            chunk.extend_from_slice(record.bytes());
            if chunk.len() >= CHUNK {
                // If the folding thread has given up, it says why; the rest of the walk still counts.
                let _ = chunks.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
            }
        });
        let _ = chunks.send(chunk);
        drop(chunks);
        let folded = match folding.join() {
            Ok(folded) => folded,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (result, folded)
    })
}

fn fold(mut chunk: &[u8], state: &mut State) -> Result<(), OpenError> {
    let mut events = Vec::with_capacity(TOGETHER);
    while let Some(record) = codec::first_record(chunk) {
        let sequence = state.head().0 + events.len() as u64 + 1;
        events.push(codec::decode(record).map_err(|error| OpenError::Event { sequence, error })?);
        chunk = &chunk[record.len()..];
        if events.len() == TOGETHER {
            apply_all(state, &mut events);
        }
    }
    apply_all(state, &mut events);
    Ok(())
}

/// Events that are folded together, so that their cache misses overlap.
pub(super) const TOGETHER: usize = 256;

/// Folds events in order and empties the list.
pub(super) fn apply_all(state: &mut State, events: &mut Vec<Event>) {
    state.touch(events.iter().flat_map(|event| event.entries.iter().map(|entry| entry.account)));
    for event in events.drain(..) {
        state.apply(&event);
    }
}
