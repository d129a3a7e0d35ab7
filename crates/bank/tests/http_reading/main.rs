//! The reading and operating half of the interface, asked as callers ask.

mod accounts;
mod bank;
mod document;
mod entries;
mod events;
mod idempotency;
mod keys;
mod listening;
mod operating;
mod pages;
mod transactions;
mod value_dates;
