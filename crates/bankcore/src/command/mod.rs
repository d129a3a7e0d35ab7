//! One command, one file; a folder where a command has commands of its own.

pub mod account;
pub mod bench;
pub mod breaks;
pub mod case;
pub mod clock;
pub mod completions;
pub mod config;
pub mod day;
pub mod db;
pub mod drill;
pub mod in_doubt;
pub mod inspect;
pub mod key;
pub mod migrate;
pub mod outbox;
pub mod partner;
pub mod payment;
pub mod rail;
pub mod serve;
pub mod transfer;
pub mod verify;
pub mod webhook;
