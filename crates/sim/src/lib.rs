//! For developers: the bank under a simulated clock and disk, judged by a program that shares no code with its rules.
//!
//! ```text
//!  workload ─► asks ─┬─► the bank (rules, sequencer, a store) ─► answers, events ─┐
//!                    └─► model (plain maps of i128) ──► expected ─────────────────┴─► auditor: the same?
//! ```
//! [`conformance`] holds one suite of behaviours for every store. [`simulation`] runs the bank on a disk that
//! crashes, fails and fills up, by seed: `cargo run --release -p sim -- --seeds 1000`.
//!
//! Architecture invariant: nothing here is part of the product; everything here may depend on everything there.

pub mod auditor;
pub mod broker;

pub mod conformance;
pub mod desk;
pub mod model;
pub mod server;
pub mod simulation;

pub mod time;
pub mod workload;
