//! Books in a database whose server, network, clients and administrators do their worst.
//!
//! Whatever happens, three things hold: what was answered is there, once; what was answered by a fault is resolved
//! by asking for its key, or by sending it again; and what is in memory is the fold of what is in the tables.

mod bank;
mod breaks;
mod cuts;
mod edits;
mod killing;
mod opening;
mod proxy;
mod secrecy;
mod together;
mod waiting;
