//! Following the books: what others have written is read, and held against the chain before it is believed.

use journal::Head;
use ledger::{Event, State, codec};
use sqlx::Row;
use sqlx::mysql::{MySqlConnection, MySqlRow};

use super::failure;
use super::session::sql;
use crate::sequencer::Fault;
use crate::store::reads;

/// Events of one question.
pub(super) const PAGE: u64 = 4_096;

/// Why the books cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The server, or the way to it.
    #[error("{0}")]
    Sql(sqlx::Error),
    /// The events are not what the head says.
    #[error("{0}")]
    Damaged(String),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        Failure::Sql(error)
    }
}

impl Failure {
    /// What callers are answered.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Failure::Sql(error) => failure::fault(error),
            Failure::Damaged(why) => Fault::Unreadable(why.clone()),
        }
    }
}

/// Where the books stand.
pub(super) struct Tip {
    pub(super) bank: [u8; 16],
    pub(super) timeline: u32,
    pub(super) head: Head,
}

/// Reads where the books stand; none if no bank was ever opened here. With `lock`, nobody else writes until the
/// transaction ends.
pub(super) async fn tip(connection: &mut MySqlConnection, lock: bool) -> Result<Option<Tip>, Failure> {
    let end = if lock { " FOR UPDATE" } else { "" };
    let question = format!("SELECT bank_id, timeline, sequence, hash FROM ledger_head WHERE id = 1{end}");
    let Some(row) = sql(question).fetch_optional(connection).await? else { return Ok(None) };
    let timeline: u32 = row.try_get(1)?;
    let head = Head { sequence: row.try_get(2)?, hash: bytes(&row, 3)? };
    Ok(Some(Tip { bank: bytes(&row, 0)?, timeline, head }))
}

/// Reads the page of events after `from`, at most up to `to`; answers the chain after it.
pub(super) async fn page(
    connection: &mut MySqlConnection,
    from: Head,
    to: Head,
) -> Result<(Vec<Event>, Head), Failure> {
    let mut here = from;
    let last = to.sequence.min(here.sequence + PAGE);
    let question = format!(
        "SELECT record FROM events WHERE sequence > {} AND sequence <= {last} ORDER BY sequence",
        here.sequence
    );
    let rows = sql(question).fetch_all(connection).await?;
    let mut page = Vec::with_capacity(rows.len());
    for row in rows {
        let hashed: Vec<u8> = row.try_get(0)?;
        here = here.next(&hashed);
        page.push(event(hashed, here.sequence)?);
    }
    if here.sequence != last {
        return Err(Failure::Damaged(format!("event {} is missing", here.sequence + 1)));
    }
    if last == to.sequence && here.hash != to.hash {
        return Err(Failure::Damaged(format!(
            "the chain over the events up to {last} does not come out at the head: a row was changed by hand"
        )));
    }
    Ok((page, here))
}

/// Folds events that others wrote. The chain tells a changed row only at its end; what cannot be folded before that is
/// told by its sequence, and the state is then of no use any more.
pub(super) fn fold(state: &mut State, events: &[Event]) -> Result<(), Failure> {
    reads::fold_each(state, events).map_err(|sequence| Failure::Damaged(reads::does_not_follow(sequence)))
}

/// An event from the bytes that the chain covers.
pub(super) fn event(hashed: Vec<u8>, sequence: u64) -> Result<Event, Failure> {
    let damaged =
        |why: &dyn std::fmt::Display| Failure::Damaged(format!("event {sequence} cannot be read: {why}"));
    let mut record = hashed;
    let slots = usize::from(*record.get(2).ok_or_else(|| damaged(&"it is empty"))?);
    if record.len() > slots * codec::SLOT {
        return Err(damaged(&"it is longer than it says"));
    }
    // Skip pointers are the journal's; here an index does their work.
    record.resize(slots * codec::SLOT, 0);
    let event = codec::decode(&record).map_err(|error| damaged(&error))?;
    if event.sequence.0 != sequence {
        return Err(damaged(&format_args!("it says that it is event {}", event.sequence)));
    }
    Ok(event)
}

/// A column of so many bytes.
pub(super) fn bytes<const N: usize>(row: &MySqlRow, column: usize) -> Result<[u8; N], sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    bytes.try_into().map_err(|_| sqlx::Error::Decode(format!("column {column} has not {N} bytes").into()))
}
