//! What became of a request, ready to be told.

use ledger::{Body, Event, Refusal, Sequence};

use crate::identity::quota::RetryAfter;

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    /// It happened.
    Accepted {
        /// What happened.
        event: Event,
        /// It had happened before, under the same key.
        replayed: bool,
    },
    /// The rules said no.
    Refused {
        /// Why.
        refusal: Refusal,
        /// They had said so before, under the same key.
        replayed: bool,
        /// The event that keeps the refusal, if it is kept.
        event: Option<Sequence>,
    },
    /// The key belongs to another request.
    KeyReused {
        /// The event that used it.
        by: Sequence,
    },
    /// Too many refusals; slow down. Nothing was recorded.
    Throttled(RetryAfter),
}

/// The outcome of an atomic group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupDecided {
    /// All of it happened.
    Accepted {
        /// The group's own event.
        header: Event,
        /// Its members, in order.
        members: Vec<Event>,
        /// It had happened before, under the same key.
        replayed: bool,
    },
    /// None of it happened; never [`Decided::Accepted`].
    Not(Decided),
}

impl Decided {
    /// Reads an event: an accepted fact, or a kept refusal.
    #[must_use]
    pub fn of(event: Event, replayed: bool) -> Decided {
        match event.body {
            Body::Refused(refusal) => Decided::Refused { refusal, replayed, event: Some(event.sequence) },
            _ => Decided::Accepted { event, replayed },
        }
    }
}
