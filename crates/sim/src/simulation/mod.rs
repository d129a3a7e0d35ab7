//! The simulation: rules, sequencer and journal store on a disk and a clock that do what a seed says.
//!
//! ```text
//!  seed ─► dice ─┬─► workload ─► books ─► rules ─► journal store ─► watched disk ─► simulated disk
//!                ├─► clock (passes, is set, leaps)                      │                │
//!                ├─► faults (crash anywhere, EIO, ENOSPC, full)  ───────┼────────────────┘
//!                └─► chores (file keys, merge, snapshot, confirm)       └─► a reader looks at every call
//! ```
//! One thread, no real time: the same seed does the same things byte for byte. After each batch every answer is
//! compared with the model's, and after each crash the whole history is: what was acknowledged is there, what was
//! in doubt is there whole or not at all, and nothing that any reader ever saw was taken back.
//!
//! A finding is a panic; its seed goes into `tests/regressions.rs` under the name of what was wrong.

mod disk;
mod life;
mod plan;
mod questions;
mod world;

pub use plan::Plan;

use ledger::Digest;

/// What a seed did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A hash over everything that happened, in order.
    pub trace: Digest,
    /// A hash over every byte on the disk at the end.
    pub disk: Digest,
    /// Events at the end.
    pub events: u64,
    /// Answers that were compared.
    pub answers: u64,
    /// Crashes and restarts.
    pub restarts: u64,
    /// Batches whose outcome was unknown until the restart; and how many of them had happened.
    pub doubts: (u64, u64),
    /// Batches that were turned away because the disk was full or the clock had leapt.
    pub turned_away: u64,
    /// Pieces of background work done.
    pub chores: u64,
}

/// Runs a seed to its end.
///
/// # Panics
/// If anything was found.
#[must_use]
pub fn run(seed: u64, verbose: bool) -> Report {
    let mut world = world::World::new(seed, verbose);
    let rounds = world.plan.rounds;
    for round in 0..rounds {
        world.round(round);
    }
    world.finish()
}
