//! Claims: digests that map to sequences, for ever. Idempotency keys, ends of holds, account numbers; and, as a
//! second kind that may repeat, references.
//!
//! # Shape
//! ```text
//!  submitting threads                       rules thread                        filer (background)
//!  shelf.runs() ── Arc<Runs> ─┐             Recent: active table ──full──► sealed generation ──┐
//!  runs.find_batch(digests)   └─ travels ─► recent.get(&runs, digest)                          │ durable?
//!        ▲                                  recent.insert, end_of_batch                        ▼
//!        └───────────────────── Shelf: the current Runs ◄──── publish ──── run file, merged in tiers of 4
//! ```
//! Recent claims live in flat tables that never grow ([`Recent`]). A full one is sealed; once all its claims are
//! durable the [`Filer`] writes it as a sorted file with a filter (a *run*) and publishes a new set of
//! runs ([`Runs`]) on the [`Shelf`]. Old claims are looked up by submitting threads, a batch at a time, before the
//! rules thread sees the batch; the rules thread never touches the disk. Files and filters are derived
//! data: what is missing or damaged is rebuilt from the journal. [`References`] is the same for digests
//! that repeat; only its recent part differs.
//!
//! # The visibility protocol
//! A claim that exists must be seen by every look-up that is decided after it, or money moves twice.
//!
//! 1. A submission takes the current set from the shelf, looks its digests up there, and **holds the set** until
//!    the rules thread has called [`Recent::get`] with it (which takes it by reference, so that it is).
//! 2. A set covers the sequences `1..=through` whole. `through` only ever rises from one published set to the
//!    next: filing appends the oldest unfiled generation, merging changes nothing.
//! 3. `get` searches the active table and every sealed generation that the submission's set does not cover.
//! 4. A generation is let go only by the rules thread, between batches, oldest first, and only when it is covered
//!    by the current set *and by every earlier set that anyone still holds*: `Shelf::floor`. Earlier
//!    sets are known by weak references and cannot be taken off the shelf again, so one that nobody
//!    holds now, nobody will hold.
//! 5. Only generations whose last sequence is durable are filed, so a run never holds a claim that a crash undoes.
//!
//! So at `get`, a claim of sequence `s` is found in the set if `s <= through`; else its generation is not covered by
//! a set that is held, hence still in memory (4) and searched (3). A broken promise is not answered with
//! "unknown": `get` panics when memory starts after what the set covers.
//!
//! It would not do to remember, per generation, just the one set before it: a merge publishes sets with equal
//! coverage, and a slow submission may hold a set from several generations ago while all later ones are unused.
//!
//! # Why not simpler
//! A growing hash map pauses the rules thread for a third of a second and costs 5 GB at 100 million claims. An
//! embedded database costs 10-18 microseconds a claim, more than the rest of the request. An expiry would
//! make this file unnecessary and let a retry after the expiry post twice.
//!
//! The format is described in `docs/keys-format.md`.

mod digest;
mod error;
mod filer;
mod filter;
mod format;
mod generation;
mod merge;
mod open;
mod recent;
mod references;
mod run;
mod runs;
mod sealed;
mod shelf;
mod table;
mod writer;

pub use digest::Digest;
pub use error::KeysError;
pub use filer::Filer;
pub use open::{Discarded, Opened, Reason, condemn};
pub use recent::Recent;
pub use references::References;
pub use runs::Runs;
pub use shelf::{Options, Shelf, Status};
