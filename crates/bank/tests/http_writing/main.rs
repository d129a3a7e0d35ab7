//! The writing half of the interface, from request to answer: golden answers over a bank in a temporary folder.

mod accounts;
mod bad_input;
mod bank;
mod batches;
mod case_studies;
mod consistency;
mod holds;
mod keys;
mod payments;
mod policy;
mod reversals;
mod schema;
mod two_phase;
