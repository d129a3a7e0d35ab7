//! Moving house: a bank from one home into another, in any direction: a data folder, or a database.
//!
//! ```text
//!  look    source verified (every event, every row); target empty, or an unfinished copy of the same bank
//!  copy    events in order, chain computed anew ─► rows, or frames · then API keys and audit trail, as they are
//!  prove   target verified; both walked again by the same code and compared: head, counts, totals, state
//!  finish  only now is the target a bank that can be served
//! ```
//! Events are copied as the bytes that the chain covers; everything else is made from them on the other side, so
//! sequences, transaction ids, keys, times and hashes are the same. What is derived and belongs to one kind of home
//! only (skip pointers of a journal, tables of a database) is made anew.
//!
//! It may be killed at any moment: what was copied is a beginning of the same chain, and the next call goes on behind
//! it. The source is only read, except for what opening its bank database does.

mod error;
mod folder;
mod home;
mod left;
mod proof;
mod source;
mod target;

use std::path::Path;

use journal::{Batch, Head};
use ledger::{Event, Sequence, State, codec};

pub use error::Error;
pub use folder::is_unfinished;
pub use home::Home;
pub use left::Left;
pub use proof::{Line, Proof};
use source::Source;
use target::Target;

use crate::sequencer::{Clock as _, SystemClock};
use crate::verify::{self, Report};

/// What is done now, how far it is, and how far it will go: bytes of a journal, events of a database.
pub type Progress<'a> = &'a mut dyn FnMut(Stage, u64, u64);

/// A part of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The source is verified.
    Source,
    /// Events are copied.
    Copy,
    /// The target is verified.
    Target,
    /// Both are walked once more and compared.
    Proof,
}

/// Events that are written together.
const TOGETHER: usize = 4_096;
/// Nor more bytes than this: it is a fraction of what a frame holds.
const BYTES: usize = 4 << 20;

/// Copies the bank in `from` into `to`, and proves that the two are equal.
///
/// Blocks: not for a thread that drives futures.
///
/// # Errors
/// [`Error`]: then the target is not a bank that is served. Whether all is equal is in the [`Proof`].
pub fn migrate(from: &Home, to: &Home, progress: Progress<'_>) -> Result<Proof, Error> {
    if from.is(to) {
        return Err(Error::Same);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Error::Thread)?;
    let mut source = Source::open(from, &runtime)?;
    let identity = source.identity();
    let report = look(from, &runtime, Stage::Source, progress)?;
    if let Some(damage) = &report.damage {
        return Err(Error::Damaged { place: from.to_string(), damage: damage.to_string() });
    }
    source.stands_at(report.head)?;

    let now = SystemClock::new().wall();
    let mut target = Target::begin(to, identity, now, &runtime)?;
    let copied = copy(&mut source, &mut target, &runtime, report.head, progress)?;
    let people = from.bank_database(identity.bank, &runtime)?;
    target.settle(report.head, &copied, &people, now, &runtime)?;
    drop(copied);

    let found = look(to, &runtime, Stage::Target, progress)?;
    let mut proof = Proof::begin(from, to, identity, &report, &found);
    proof.compare(&mut source, &mut Source::of_copy(to, &runtime)?, &runtime, progress)?;
    let beside = to.bank_database(identity.bank, &runtime)?;
    proof.compare_people(&people, &beside, &runtime)?;
    proof.left = runtime.block_on(left::behind(&people, &beside))?;
    if let Home::Database(_) = from {
        Source::open(from, &runtime)?.stands_at(report.head)?;
    }
    if proof.holds() {
        target.finish(now, &runtime)?;
    }
    Ok(proof)
}

/// Verifies a home.
fn look(
    home: &Home,
    runtime: &tokio::runtime::Runtime,
    stage: Stage,
    progress: Progress<'_>,
) -> Result<Report, Error> {
    let (tell, told) = std::sync::mpsc::channel();
    let each: verify::Progress = Box::new(move |done, all| _ = tell.send((done, all)));
    let looking = match home.clone() {
        Home::Folder(dir) => {
            runtime.spawn(async move { verify::verify(&dir, each).await.map_err(Error::from) })
        }
        Home::Database(settings) => runtime.spawn(async move {
            verify::verify_database(&settings, Path::new(""), each).await.map_err(Error::from)
        }),
    };
    // Ends when the walk is done and lets its side go.
    told.iter().for_each(|(done, all)| progress(stage, done, all));
    runtime.block_on(looking).unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Copies what is not there yet; answers the books at the head.
fn copy(
    source: &mut Source,
    target: &mut Target,
    runtime: &tokio::runtime::Runtime,
    head: Head,
    progress: Progress<'_>,
) -> Result<State, Error> {
    let mut packed = Packed::new(source.start());
    source.walk(runtime, &mut |event, _| {
        packed.take(event);
        if packed.is_full() {
            packed.hand_over(target, runtime)?;
            progress(Stage::Copy, packed.head.sequence, head.sequence);
        }
        Ok(())
    })?;
    packed.hand_over(target, runtime)?;
    Ok(packed.state)
}

/// Events on their way, and the books after them.
struct Packed {
    state: State,
    events: Vec<Event>,
    records: Batch,
    head: Head,
}

impl Packed {
    fn new(head: Head) -> Packed {
        Packed { state: State::new(), events: Vec::with_capacity(TOGETHER), records: Batch::new(), head }
    }

    /// Skip pointers are a journal's own: where the account stands tells them, whatever the source kept.
    fn take(&mut self, mut event: Event) {
        for entry in &mut event.entries {
            let account = self.state.account(entry.account);
            entry.skip = account.map_or(Sequence(0), |account| account.skip_at(entry.version));
        }
        self.state.apply(&event);
        self.records.push(|bytes| codec::encode(&event, bytes));
        self.events.push(event);
    }

    fn is_full(&self) -> bool {
        self.events.len() == TOGETHER || self.records.bytes() >= BYTES
    }

    fn hand_over(&mut self, target: &mut Target, runtime: &tokio::runtime::Runtime) -> Result<(), Error> {
        self.head = target.write(&self.events, &self.records, self.head, &self.state, runtime)?;
        self.events.clear();
        self.records.clear();
        Ok(())
    }
}
