//! The outbox, from an event in the books to a receiver that is well, slow, dead or hostile.

#[path = "../http_writing/bank.rs"]
#[allow(dead_code, reason = "each suite uses some of it")]
mod bank;
mod delivering;
mod failing;
mod managing;
mod notifying;
mod receiver;
mod seeing;
