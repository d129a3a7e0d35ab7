//! Events sent once more. They are parked as if they had failed, so they go out like any other: in their lanes, before
//! what has not gone out yet, also after a restart.

use uuid::Uuid;

use super::progress::{self, park_again};
use super::wish::{check_sequence, sort, wish};
use super::{Outbox, OutboxError, rows};
use crate::database::Actor;

/// Events of one replay. For more there is a new subscription that begins where it should.
pub const REPLAY_MAX: usize = 10_000;

/// What is to be sent again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Replay {
    /// These events.
    Events(Vec<u64>),
    /// Everything from the first to the last of these, both included.
    Range(u64, u64),
    /// The oldest dead letters, as many as one replay may hold.
    DeadLetters,
}

impl Outbox {
    /// Sends events again; how many. Those that are on their way anyway do not count, and of the others those
    /// that the subscription does not want are passed over when their turn comes.
    ///
    /// # Errors
    /// Why none will be sent.
    pub async fn replay(
        &self,
        id: Uuid,
        what: Replay,
        by: &Actor,
        now_us: i64,
    ) -> Result<usize, OutboxError> {
        let database = &self.shared.database;
        let _turn = self.one_at_a_time.lock().await;
        let subscription = rows::one(database, id).await?.ok_or(OutboxError::NotFound)?;
        let mut sequences = match what {
            Replay::Events(sequences) => sequences,
            Replay::Range(first, last) if first > last => {
                return Err(wish("the first event of a range is not after its last"));
            }
            Replay::Range(first, last) if last - first >= REPLAY_MAX as u64 => return Err(too_many()),
            Replay::Range(first, last) => (first..=last).collect(),
            Replay::DeadLetters => {
                let dead = progress::dead_letters(database, id, 0, REPLAY_MAX).await?;
                dead.iter().map(|letter| letter.sequence).collect()
            }
        };
        sort(&mut sequences);
        if sequences.len() > REPLAY_MAX {
            return Err(too_many());
        }
        if sequences.first() == Some(&0) {
            return Err(wish("the first event is 1"));
        }
        check_sequence(sequences.last().copied().unwrap_or(0), &**self.shared.books.reads())?;
        let mark = progress::mark(database, id).await?.unwrap_or(subscription.begins_after);
        sequences.retain(|sequence| *sequence <= mark);
        if !sequences.is_empty() {
            park_again(database, by, id, &sequences, now_us).await?;
            self.running.again(id);
        }
        Ok(sequences.len())
    }
}

fn too_many() -> OutboxError {
    OutboxError::Wish(format!(
        "one replay has at most {REPLAY_MAX} events; make several, or a subscription that begins there"
    ))
}
