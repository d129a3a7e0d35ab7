//! The real binary under what peers do: too many of them, too slow, gone in the middle, or sending rubbish. None of it
//! takes a place, memory or a turn from those who behave, and nothing that was answered is lost.

#[path = "../common/mod.rs"]
mod common;

mod connections;
mod overload;
mod peer;
mod rubbish;
mod vanishing;
