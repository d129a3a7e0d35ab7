//! The sequencer: one order for everything that moves money.
//!
//! ```text
//!  submit ─► queue (bounded) ─► batch of whatever waits ─► stamp the time ─► expire what is due
//!                                                             │
//!                          rules decide each submission ◄─────┘
//!                                     │ events
//!                          store.accept (state, frame) ─► store.hand_over ─► durable ─► everybody is answered
//! ```
//! One thread decides; while the store makes batch N durable, batch N+1 is being decided, and what arrives
//! meanwhile becomes batch N+2. So the batch grows with the load by itself and nobody tunes a delay.
//!
//! Reads of current state go through the same queue and are answered with the batch that they saw: nothing
//! that a crash could take back is ever shown.
//!
//! A submission is prepared by the thread that submits it: its digests are looked up among the old claims,
//! and the originals of reversals are read. The rules thread never touches the disk.

mod clock;
mod fault;
mod process;
mod queue;
mod run;
mod submission;

pub use clock::{Clock, ClockJumped, Stamp, SystemClock};
pub use fault::Fault;
pub use process::{RefusalBudget, open_bank};
pub use queue::{Queue, QueueLimits, Sequencer, Totals, queue};
pub use run::{Rules, Settings, run};
pub use submission::{
    AccountView, Answer, Frame, Outcome, Prior, Query, Receipt, Reply, Reversed, Submission, Wanted, Work,
};
