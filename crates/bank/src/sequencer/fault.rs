//! Faults: the machine could not, whatever the request was. Nothing is known to have been decided, unless a
//! later look-up by key says otherwise.

use ledger::Sequence;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A write or sync failed. Nothing more is promised until the process is started again.
    #[error(
        "the journal could not be written: {0}; no request is answered until the service is started again"
    )]
    Poisoned(String),
    /// The disk is nearly full. Reads go on.
    #[error("the disk is nearly full; free some space, and writing goes on by itself")]
    DiskFull,
    /// The clock jumped; writes wait for an operator.
    #[error("the clock jumped ahead by {0} s; check it, then confirm it (bankcore clock confirm)")]
    ClockJumped(u64),
    /// Too much waits already.
    #[error("too many requests are waiting; send it again with the same key")]
    Overloaded,
    /// More than one frame holds.
    #[error("the batch is larger than one frame of the journal; send several smaller ones")]
    TooLarge,
    /// The service is stopping.
    #[error("the service is stopping; send the request again with the same key")]
    Stopped,
    /// The database that holds the books does not answer, or does not take the batch.
    #[error("the database cannot take it now: {0}")]
    Unavailable(String),
    /// Something that was stored cannot be read.
    #[error("stored data could not be read: {0}")]
    Unreadable(String),
    /// A question about books that are not there yet.
    #[error("event {at} is not there yet; the newest is {newest}")]
    NotYet {
        /// The event after which the books were asked for.
        at: Sequence,
        /// The newest event.
        newest: Sequence,
    },
    /// A question about the past would take more work than one request may cost.
    #[error("the answer lies too far back: {0}")]
    TooFar(String),
}

impl Fault {
    /// After how many seconds another try makes sense; none if waiting does not help.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Fault::Overloaded => Some(1),
            Fault::Stopped | Fault::DiskFull | Fault::Unavailable(_) => Some(5),
            Fault::Poisoned(_) | Fault::ClockJumped(_) => Some(30),
            Fault::Unreadable(_) | Fault::NotYet { .. } | Fault::TooFar(_) | Fault::TooLarge => None,
        }
    }
}
